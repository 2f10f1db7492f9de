//! `exits CODE`: ends with CODE, 0 to 255, through `wasi:cli/exit`'s `exit-with-code`.

fn main() {
    let Some(Ok(code)) = std::env::args().nth(1).map(|code| code.parse::<u8>()) else {
        eprintln!("usage: exits CODE");
        kube_guest::exit(2)
    };
    kube_guest::exit(code)
}
