//! Standard output and standard error, by streams.

use wasip3::cli::{stderr, stdout};
use wasip3::wit_bindgen::{FutureReader, StreamReader, StreamWriter};
use wasip3::wit_stream;

type Written = FutureReader<Result<(), wasip3::cli::types::ErrorCode>>;

/// A stream that stays open, for what comes piece by piece.
pub(crate) struct Out {
    writer: StreamWriter<u8>,
    written: Written,
}

impl Out {
    pub(crate) fn new() -> Self {
        Self::through(stdout::write_via_stream)
    }

    fn through(open: fn(StreamReader<u8>) -> Written) -> Self {
        let (writer, reader) = wit_stream::new();
        Self { writer, written: open(reader) }
    }

    pub(crate) async fn write(&mut self, bytes: Vec<u8>) -> Result<(), ()> {
        if self.writer.write_all(bytes).await.is_empty() { Ok(()) } else { Err(()) }
    }

    pub(crate) async fn close(self) -> Result<(), ()> {
        drop(self.writer);
        self.written.await.map_err(|_| ())
    }
}

pub(crate) async fn print(text: impl Into<Vec<u8>>) -> Result<(), ()> {
    let mut out = Out::new();
    out.write(text.into()).await?;
    out.close().await
}

pub(crate) async fn complain(text: impl Into<Vec<u8>>) -> Result<(), ()> {
    let mut out = Out::through(stderr::write_via_stream);
    out.write(text.into()).await?;
    out.close().await
}
