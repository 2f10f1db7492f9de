//! `kwasm list`.

use serde::Serialize;

use crate::cli::Output;
use crate::inspect::Kind;
use crate::reference::{Digest, PluginName};
use crate::store::{Receipt, Store};

use super::{Ending, Error, Voice, print};

/// One installed plugin as `-o json` shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: PluginName,
    policy: String,
    source: String,
    digest: Digest,
    kind: Kind,
    installed_at: String,
}

impl From<Receipt> for Row {
    fn from(receipt: Receipt) -> Self {
        let Receipt { name, policy, source, digest, kind, installed_at, .. } = receipt;
        Self { name, policy, source, digest, kind, installed_at }
    }
}

pub(super) fn list(store: &Store, voice: Voice, output: Output) -> Result<Ending, Error> {
    let mut rows = Vec::new();
    for name in store.names()? {
        match store.receipt(&name) {
            Ok(receipt) => rows.push(Row::from(receipt)),
            // One broken receipt does not hide the others.
            Err(error) => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                voice.fault(&format!("{error}{}", cause.unwrap_or_default()));
            }
        }
    }
    let text = match output {
        Output::Json => serde_json::to_string_pretty(&rows).map(|text| text + "\n").unwrap_or_default(),
        Output::Yaml => serde_saphyr::to_string(&rows).unwrap_or_default(),
        Output::Name => rows.iter().flat_map(|row| [row.name.as_str(), "\n"]).collect(),
        Output::Table | Output::Wide => table(&rows, output == Output::Wide),
    };
    if rows.is_empty() && matches!(output, Output::Table | Output::Wide) {
        voice.note("no plugins are installed: kwasm install ./x.wasm");
        return Ok(Ending::Done);
    }
    print(&text)?;
    Ok(Ending::Done)
}

fn table(rows: &[Row], wide: bool) -> String {
    let mut lines =
        vec![vec!["NAME".to_owned(), "POLICY".to_owned(), "DIGEST".to_owned(), "SOURCE".to_owned()]];
    if wide {
        lines[0].extend(["KIND".to_owned(), "INSTALLED".to_owned()]);
    }
    for row in rows {
        let digest = row.digest.to_string();
        let digest = if wide { digest } else { digest.chars().take("sha256:".len() + 12).collect() };
        let mut line = vec![row.name.to_string(), row.policy.clone(), digest, row.source.clone()];
        if wide {
            let kind = if row.kind == Kind::Core { "core" } else { "component" };
            line.extend([kind.to_owned(), row.installed_at.clone()]);
        }
        lines.push(line);
    }
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let cells = |line: &Vec<String>| {
        let padded: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    lines.iter().map(cells).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_have_no_blanks_at_their_end() {
        let row = |name: &str| Row {
            name: name.parse().unwrap(),
            policy: "cluster".to_owned(),
            source: "/x.wasm".to_owned(),
            digest: Digest::of(b""),
            kind: Kind::Component,
            installed_at: "2026-01-01T00:00:00Z".to_owned(),
        };
        insta::assert_snapshot!(table(&[row("a"), row("decoder")], false), @r"
        NAME     POLICY   DIGEST               SOURCE
        a        cluster  sha256:e3b0c44298fc  /x.wasm
        decoder  cluster  sha256:e3b0c44298fc  /x.wasm
        ");
    }
}
