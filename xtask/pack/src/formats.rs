//! Archives, with nothing of this machine in them.

use std::io::{Cursor, Write as _};

use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};
use time::{OffsetDateTime, PrimitiveDateTime};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use crate::entries::Entry;

/// Returns a compressed tar, each of its entries of this time, in seconds since 1970.
pub(crate) fn tar_gz(entries: &[Entry], time: i64) -> Result<Vec<u8>> {
    let mut tar = Builder::new(GzBuilder::new().mtime(0).write(Vec::new(), Compression::best()));
    for entry in entries {
        let content = entry.content.as_deref();
        let mut header = Header::new_gnu();
        header.set_entry_type(if content.is_some() { EntryType::Regular } else { EntryType::Directory });
        header.set_mode(entry.mode());
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(u64::try_from(time).context("a time before 1970")?);
        let content = content.unwrap_or_default();
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, &entry.path, content)?;
    }
    Ok(tar.into_inner()?.finish()?)
}

/// Returns a zip, each of its entries of this time, in seconds since 1970. A zip knows none before 1980.
pub(crate) fn zip(entries: &[Entry], time: i64) -> Result<Vec<u8>> {
    let time = OffsetDateTime::from_unix_timestamp(time)?;
    let time = DateTime::try_from(PrimitiveDateTime::new(time.date(), time.time()))
        .context("a time that a zip does not know")?;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(time)
            .unix_permissions(entry.mode());
        match &entry.content {
            None => zip.add_directory(&entry.path, options)?,
            Some(content) => {
                zip.start_file(&entry.path, options)?;
                zip.write_all(content)?;
            }
        }
    }
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Read as _};

    use super::*;
    use crate::entries;

    const TIME: i64 = 1_700_000_000;

    #[test]
    fn both_forms_have_the_same_files_and_are_the_same_bytes_wherever_the_folder_is() {
        let packed = || {
            let place = tempfile::tempdir().unwrap();
            let folder = place.path().join("kwasm-1");
            fs::create_dir_all(folder.join("man")).unwrap();
            fs::write(folder.join("man").join("a.1"), "a page").unwrap();
            fs::write(folder.join("kwasm"), "a program").unwrap();
            let entries = entries::of(&folder).unwrap();
            (tar_gz(&entries, TIME).unwrap(), zip(&entries, TIME).unwrap())
        };
        let (tar, zip) = packed();
        assert!((&tar, &zip) == (&packed().0, &packed().1));
        let expected = ["kwasm-1", "kwasm-1/kwasm", "kwasm-1/man", "kwasm-1/man/a.1"];
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&*tar));
        let mut paths = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.header().mtime().unwrap(), u64::try_from(TIME).unwrap());
            paths.push(entry.path().unwrap().display().to_string());
        }
        assert_eq!(paths, expected);
        let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
        let names: Vec<String> =
            archive.file_names().map(|name| name.unwrap().trim_end_matches('/').to_owned()).collect();
        assert_eq!(names, expected);
        let mut page = String::new();
        archive.by_name("kwasm-1/man/a.1").unwrap().read_to_string(&mut page).unwrap();
        assert_eq!(page, "a page");
    }
}
