//! Writes the request of each shipped plugin into its component: the policy of the same name in `policies/`, or of an example
//! `kwasm.yaml` in its folder, as `kwasm build` does.
//!
//! `kwasm policy embed` does the same, but building it would take longer than all the plugins.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::places::Places;

/// The name of the custom section, as `src/inspect/request.rs` has it.
const SECTION: &str = "kwasm:policy";

/// The largest request, in bytes.
const LONGEST: usize = 64 << 10;

/// Returns the text of a plugin's request, or `None` for a program that is neither a shipped plugin nor an example with a request.
///
/// # Errors
/// If a shipped plugin has no policy.
pub(crate) fn of(places: &Places, plugin: &str) -> Result<Option<String>> {
    let example = places.plugins().join("examples").join(plugin).join("kwasm.yaml");
    if example.is_file() {
        return fs::read_to_string(&example).map(Some).with_context(|| example.display().to_string());
    }
    if !places.plugins().join("plugins").join(plugin).is_dir() {
        return Ok(None);
    }
    let path = places.root.join("policies").join(format!("{plugin}.yaml"));
    let text = fs::read_to_string(&path);
    text.map(Some).with_context(|| format!("{}: each shipped plugin has its request there", path.display()))
}

/// Returns a component without a request, with this one.
///
/// # Errors
/// If the request is too large.
pub(crate) fn embed(mut component: Vec<u8>, request: &str) -> Result<Vec<u8>> {
    if request.len() > LONGEST {
        bail!("a request has at most {LONGEST} bytes, and this one has {}", request.len());
    }
    let mut content = Vec::new();
    write_with_length(&mut content, SECTION.as_bytes());
    content.extend_from_slice(request.as_bytes());
    // Sections of the number 0 are custom ones, and may be anywhere.
    component.push(0);
    write_with_length(&mut component, &content);
    Ok(component)
}

/// Writes bytes after their number, in LEB128.
fn write_with_length(into: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes.len();
    while rest > 0x7f {
        into.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    into.push(rest.to_le_bytes()[0]);
    into.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_custom_section_at_the_end() {
        assert_eq!(embed(b"\0asm".to_vec(), "a: b").unwrap(), b"\0asm\0\x11\x0ckwasm:policya: b");
        // 13 bytes are the name and its length.
        let long = embed(Vec::new(), &"x".repeat(200)).unwrap();
        assert!(long.starts_with(&[0, 0xd5, 0x01, 12]) && long.len() == 3 + 13 + 200);
        let longest = embed(Vec::new(), &"x".repeat(LONGEST)).unwrap();
        assert!(longest.starts_with(&[0, 0x8d, 0x80, 0x04, 12]) && longest.len() == 4 + 13 + LONGEST);
        assert!(embed(Vec::new(), &"x".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn a_shipped_plugin_has_the_policy_of_its_name_and_any_other_guest_has_none() {
        let places = Places::find().unwrap();
        let decoder = of(&places, "decoder").unwrap().unwrap();
        assert!(decoder.contains("name: decoder"));
        assert!(of(&places, "team-quota").unwrap().unwrap().contains("name: team-quota"));
        assert_eq!(of(&places, "hello").unwrap(), None);
        assert_eq!(of(&places, "image-policy").unwrap(), None, "its hosts are its user's");
        assert_eq!(of(&places, "view").unwrap(), None);
        let entries = fs::read_dir(places.plugins().join("plugins")).unwrap().map(Result::unwrap);
        let plugins: Vec<_> = entries.filter(|entry| entry.path().is_dir()).collect();
        assert!(plugins.len() >= 15);
        for plugin in plugins {
            let name = plugin.file_name();
            assert!(of(&places, name.to_str().unwrap()).unwrap().is_some(), "{}", name.display());
        }
    }
}
