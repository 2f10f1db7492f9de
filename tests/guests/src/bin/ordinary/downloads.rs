//! `downloads PATH [--sockets] [--chunk BYTES] [--sha256] [--stall-after N]`: gets PATH from the cluster, reads it to its
//! end without keeping it, and prints how many bytes came, with a checksum. `--sockets` goes through the socket door, by
//! hand; `--stall-after` stops reading after N bytes and sleeps forever.

use guests::doors::{Answer, Door};
use kube_guest::CHUNK;
use sha2::{Digest, Sha256};

fn main() {
    let Some(plan) = parse(std::env::args().skip(1)) else {
        eprintln!("usage: downloads PATH [--sockets] [--chunk BYTES] [--sha256] [--stall-after N]");
        kube_guest::exit(2)
    };
    match download(&plan) {
        Ok(told) => println!("{told}"),
        Err(error) => {
            eprintln!("downloads: {error}");
            kube_guest::exit(1)
        }
    }
}

/// The path to get, and the options.
#[derive(Debug, Eq, PartialEq)]
struct Plan {
    path: String,
    door: Door,
    chunk: u64,
    digest: bool,
    stop: u64,
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Plan> {
    let (mut path, mut door, mut chunk, mut digest, mut stop) = (None, Door::Http, CHUNK, false, u64::MAX);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--chunk" => chunk = arguments.next()?.parse().ok().filter(|chunk| *chunk > 0)?,
            "--sockets" => door = Door::Sockets,
            "--sha256" => digest = true,
            "--stall-after" => stop = arguments.next()?.parse().ok()?,
            _ if path.is_none() => path = Some(argument),
            _ => return None,
        }
    }
    Some(Plan { path: path?, door, chunk, digest, stop })
}

fn download(plan: &Plan) -> Result<String, String> {
    let mut answer = Answer::get(plan.door, &plan.path)?;
    let (mut bytes, mut reads, mut sum) = (0_u64, 0_u64, 0_u64);
    let mut sha256 = plan.digest.then(Sha256::new);
    while let Some(piece) = answer.piece_of(plan.chunk)? {
        bytes += piece.len() as u64;
        if bytes >= plan.stop {
            eprintln!("downloads: stalling after {bytes} bytes");
            loop {
                std::thread::sleep(std::time::Duration::from_hours(1));
            }
        }
        reads += 1;
        match &mut sha256 {
            Some(sha256) => sha256.update(piece),
            None => sum = add(sum, piece),
        }
    }
    let checksum = match sha256 {
        Some(sha256) => format!("sha256 {:x}", sha256.finalize()),
        None => format!("sum {sum:016x}"),
    };
    Ok(format!("{bytes} bytes in {reads} reads, {checksum}"))
}

/// Returns the sum of all bytes: the same however the body was cut, and so cheap that reading is what takes
/// the time.
fn add(sum: u64, piece: &[u8]) -> u64 {
    /// Every other byte of eight: what is there has room for what is added to it.
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    /// The number of repetitions, since 128 · 2 · 255 is less than 2¹⁶.
    const TIMES: usize = 128;
    let (eights, rest) = piece.as_chunks::<8>();
    let sum = eights.chunks(TIMES).fold(sum, |sum, eights| {
        let lanes = eights.iter().fold(0, |lanes, eight| {
            let bytes = u64::from_le_bytes(*eight);
            lanes + (bytes & EVEN) + (bytes >> 8 & EVEN)
        });
        [0, 16, 32, 48].iter().fold(sum, |sum, lane| sum + (lanes >> lane & 0xffff))
    });
    rest.iter().fold(sum, |sum, byte| sum + u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_does_not_depend_on_the_cut() {
        assert_eq!(add(add(0, b"ab"), b"cd"), add(0, b"abcd"));
        let most = vec![255; 100_003];
        assert_eq!(add(0, &most), 255 * 100_003);
        assert_eq!(add(add(0, &most[..9]), &most[9..]), add(0, &most));
    }

    #[test]
    fn a_chunk_of_nothing_is_a_usage_error() {
        let parse = |line: &[&str]| parse(line.iter().map(|&word| word.to_owned()));
        assert_eq!(parse(&["/p", "--chunk", "0"]), None);
        let plan =
            Plan { path: "/p".to_owned(), door: Door::Http, chunk: CHUNK, digest: true, stop: u64::MAX };
        assert_eq!(parse(&["/p", "--sha256"]), Some(plan));
        assert_eq!(parse(&[]), None);
    }
}
