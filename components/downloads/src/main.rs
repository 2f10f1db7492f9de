//! `downloads PATH [--chunk BYTES] [--sha256] [--stall-after N]`: gets PATH from the cluster, reads it to its end
//! without keeping it, and prints how many bytes came, with a checksum. `--stall-after` stops reading after N bytes and
//! sleeps for ever.

use kube_guest::{CHUNK, Cluster, Error};
use sha2::{Digest, Sha256};

fn main() {
    let Some(plan) = parse(std::env::args().skip(1)) else {
        eprintln!("usage: downloads PATH [--chunk BYTES] [--sha256] [--stall-after N]");
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

/// What to get, and how.
#[derive(Debug, Eq, PartialEq)]
struct Plan {
    path: String,
    chunk: u64,
    digest: bool,
    stop: u64,
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Plan> {
    let (mut path, mut chunk, mut digest, mut stop) = (None, CHUNK, false, u64::MAX);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--chunk" => chunk = arguments.next()?.parse().ok().filter(|chunk| *chunk > 0)?,
            "--sha256" => digest = true,
            "--stall-after" => stop = arguments.next()?.parse().ok()?,
            _ if path.is_none() => path = Some(argument),
            _ => return None,
        }
    }
    Some(Plan { path: path?, chunk, digest, stop })
}

fn download(plan: &Plan) -> Result<String, Error> {
    let mut response = Cluster::from_env()?.request("GET", &plan.path, &[], &[])?;
    let (mut bytes, mut reads, mut sum) = (0_u64, 0_u64, 0_u64);
    let mut sha256 = plan.digest.then(Sha256::new);
    while let Some(piece) = response.chunk(plan.chunk)? {
        bytes += piece.len() as u64;
        if bytes >= plan.stop {
            eprintln!("downloads: stalling after {bytes} bytes");
            loop {
                std::thread::sleep(std::time::Duration::from_hours(1));
            }
        }
        reads += 1;
        match &mut sha256 {
            Some(sha256) => sha256.update(&piece),
            None => sum = add(sum, &piece),
        }
    }
    let checksum = match sha256 {
        Some(sha256) => format!("sha256 {:x}", sha256.finalize()),
        None => format!("sum {sum:016x}"),
    };
    Ok(format!("{bytes} bytes in {reads} reads, {checksum}"))
}

/// The sum of all bytes: the same however the body was cut, and so cheap that reading is what takes the time.
fn add(sum: u64, piece: &[u8]) -> u64 {
    piece.iter().fold(sum, |sum, byte| sum.wrapping_add(u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_does_not_depend_on_the_cut() {
        assert_eq!(add(add(0, b"ab"), b"cd"), add(0, b"abcd"));
    }

    #[test]
    fn a_chunk_of_nothing_is_a_usage_error() {
        let parse = |line: &[&str]| parse(line.iter().map(|&word| word.to_owned()));
        assert_eq!(parse(&["/p", "--chunk", "0"]), None);
        let plan = Plan { path: "/p".to_owned(), chunk: CHUNK, digest: true, stop: u64::MAX };
        assert_eq!(parse(&["/p", "--sha256"]), Some(plan));
        assert_eq!(parse(&[]), None);
    }
}
