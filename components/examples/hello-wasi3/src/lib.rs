//! `kubectl hello-wasi3 [WORD…]`: greets, by the asynchronous `run` and the streams of WASI 0.3 alone.

wasip3::cli::command::export!(Hello);

struct Hello;

impl wasip3::exports::cli::run::Guest for Hello {
    async fn run() -> Result<(), ()> {
        let words: Vec<String> = wasip3::cli::environment::get_arguments().into_iter().skip(1).collect();
        let line = match words.as_slice() {
            [] => "hello from kwasm\n".to_owned(),
            words => format!("hello from kwasm: {}\n", words.join(" ")),
        };
        let (mut writer, reader) = wasip3::wit_stream::new();
        let written = wasip3::cli::stdout::write_via_stream(reader);
        let left = writer.write_all(line.into_bytes()).await;
        drop(writer);
        match written.await {
            Ok(()) if left.is_empty() => Ok(()),
            _ => Err(()),
        }
    }
}
