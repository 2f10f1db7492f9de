//! The three standard streams, whatever they are. A stream that another program made non-blocking is waited
//! for, while the standard library gives up. A stream that is not open for an operation yields an error,
//! while the standard library pretends success.
//!
//! The flags of a stream stay as they are: they belong to every process that has it open.

use std::io::{self, Read, Write};

/// Standard input, unbuffered: bytes that are not requested stay for the programs that share it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stdin;

/// Standard output, unbuffered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stdout;

/// Standard error, unbuffered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stderr;

#[cfg(unix)]
impl Stdin {
    /// Waits until there is something to read, or its end. Returns `false` if that cannot be waited for.
    pub(crate) fn wait() -> bool {
        unix::is_readable(&io::stdin().lock(), None)
    }

    /// Returns whether there is something to read, or its end.
    pub(crate) fn is_ready() -> bool {
        unix::is_readable(&io::stdin().lock(), Some(&unix::NOW))
    }
}

#[cfg(not(unix))]
impl Stdin {
    /// Returns `false`: the standard library cannot wait for a console.
    pub(crate) fn wait() -> bool {
        false
    }

    /// Returns `false`, for the same reason.
    pub(crate) fn is_ready() -> bool {
        false
    }
}

#[cfg(unix)]
impl Read for Stdin {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        unix::read(&io::stdin().lock(), bytes)
    }
}

#[cfg(not(unix))]
impl Read for Stdin {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        io::stdin().lock().read(bytes)
    }
}

#[cfg(unix)]
impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unix::write(&io::stdout().lock(), bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(not(unix))]
impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().lock().flush()
    }
}

#[cfg(unix)]
impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unix::write(&io::stderr().lock(), bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(not(unix))]
impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::fd::AsFd;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;

    /// No time at all.
    pub(super) const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

    /// Returns whether a stream has something to read, or its end, within this time. A stream that cannot be
    /// waited for, such as a terminal on macOS, never has.
    pub(super) fn is_readable(stream: &impl AsFd, within: Option<&Timespec>) -> bool {
        loop {
            let mut waiting = [PollFd::new(stream, PollFlags::IN)];
            match poll(&mut waiting, within) {
                Err(Errno::INTR) => {}
                Err(_) => return false,
                Ok(_) => {
                    let came = waiting[0].revents();
                    return !came.is_empty() && !came.contains(PollFlags::NVAL);
                }
            }
        }
    }

    pub(super) fn read(stream: &impl AsFd, bytes: &mut [u8]) -> io::Result<usize> {
        retry_blocked(stream, PollFlags::IN, || rustix::io::read(stream, &mut *bytes))
    }

    pub(super) fn write(stream: &impl AsFd, bytes: &[u8]) -> io::Result<usize> {
        retry_blocked(stream, PollFlags::OUT, || rustix::io::write(stream, bytes))
    }

    /// Performs `what`, and waits whenever it would block. An error of the stream shows when it is tried
    /// again.
    fn retry_blocked<T>(
        stream: &impl AsFd,
        until: PollFlags,
        mut what: impl FnMut() -> Result<T, Errno>,
    ) -> io::Result<T> {
        loop {
            match what() {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => match poll(&mut [PollFd::new(stream, until)], None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                },
                result => return result.map_err(io::Error::from),
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use rustix::fd::OwnedFd;
        use std::fs::File;
        use std::io::{Read as _, Write as _};
        use std::thread;
        use std::time::Duration;

        /// Creates a pipe with both ends non-blocking.
        fn pipe() -> (OwnedFd, OwnedFd) {
            let (reader, writer) = io::pipe().unwrap();
            let ends = (OwnedFd::from(reader), OwnedFd::from(writer));
            for end in [&ends.0, &ends.1] {
                rustix::io::ioctl_fionbio(end, true).unwrap();
            }
            ends
        }

        #[test]
        fn a_writer_that_does_not_block_waits_for_its_reader() {
            let (reader, writer) = pipe();
            let slow = thread::spawn(move || {
                thread::sleep(Duration::from_millis(50));
                rustix::io::ioctl_fionbio(&reader, false).unwrap();
                let mut all = Vec::new();
                File::from(reader).read_to_end(&mut all).unwrap();
                all.len()
            });
            let bytes = vec![b'x'; 1 << 20];
            let mut written = 0;
            while written < bytes.len() {
                written += write(&writer, &bytes[written..]).unwrap();
            }
            drop(writer);
            assert_eq!(slow.join().unwrap(), bytes.len());
        }

        #[test]
        fn a_reader_that_does_not_block_waits_for_its_writer_and_sees_the_end() {
            let (reader, writer) = pipe();
            let slow = thread::spawn(move || {
                thread::sleep(Duration::from_millis(50));
                File::from(writer).write_all(b"late").unwrap();
            });
            let mut bytes = [0; 8];
            assert_eq!(read(&reader, &mut bytes).unwrap(), 4);
            slow.join().unwrap();
            assert_eq!(read(&reader, &mut bytes).unwrap(), 0);
        }

        #[test]
        fn a_stream_whose_other_end_is_gone_is_an_error_and_not_waited_for() {
            let (reader, writer) = pipe();
            drop(reader);
            assert_eq!(write(&writer, b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        }

        #[test]
        fn a_stream_is_readable_when_something_came_or_its_writer_is_gone() {
            let (reader, writer) = pipe();
            assert!(!is_readable(&reader, Some(&NOW)));
            write(&writer, b"x").unwrap();
            assert!(is_readable(&reader, Some(&NOW)) && is_readable(&reader, None));
            read(&reader, &mut [0]).unwrap();
            assert!(!is_readable(&reader, Some(&NOW)));
            drop(writer);
            assert!(is_readable(&reader, None));
        }

        #[test]
        fn a_stream_that_is_not_open_for_it_is_an_error() {
            let (reader, writer) = pipe();
            assert!(write(&reader, b"x").is_err());
            assert!(read(&writer, &mut [0]).is_err());
            let folder = File::open(std::env::temp_dir()).unwrap();
            assert_eq!(read(&folder, &mut [0]).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        }
    }
}
