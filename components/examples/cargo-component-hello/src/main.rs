//! Says hello and repeats its arguments: the component that cargo-component makes.

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("hello from cargo-component: [{}]", words.join(" "));
}
