//! `reads-refusal-texts [URL]`: sends a request, GET of `/version` by default, and searches the result (an
//! answer, kwasm's too, or an error) for a path of the host or the name of a kubeconfig. Defence: a guest
//! learns nothing that is only for the user.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let [url] = Arguments::of("reads-refusal-texts [URL]").values(["/version"]);
    let request = Request::get(&url);
    let told = match request.send() {
        Ok(mut answer) => answer.text(),
        Err(why) => why,
    };
    // Its own words say nothing of the host.
    let asked = [Some(url), request.path];
    let foreign = asked.iter().flatten().fold(told.clone(), |told, asked| told.replace(asked.as_str(), ""));
    attempt::tell(path_in(&foreign).map(|path| format!("{path} in: {told}")).ok_or(told))
}

/// Returns the first text that looks like a path of the host.
fn path_in(text: &str) -> Option<&str> {
    let of_path = |character: char| character.is_alphanumeric() || "/.-_~".contains(character);
    text.split(|character| !of_path(character)).find(|piece| {
        let segments: Vec<&str> = piece.split('/').collect();
        let inner = segments.get(1..segments.len() - 1).unwrap_or_default();
        let file = segments.last().is_some_and(|last| last.len() > 10 && last.ends_with("kubeconfig"));
        inner.iter().any(|segment| !segment.is_empty()) || piece.contains(".kube/") || file
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_and_a_media_type_is_not() {
        assert_eq!(path_in("no cluster: `/tmp/x/config` says"), Some("/tmp/x/config"));
        assert_eq!(path_in("in ~/.kube/config,"), Some("~/.kube/config"));
        assert_eq!(path_in("see admin.kubeconfig"), Some("admin.kubeconfig"));
        assert_eq!(path_in("application/json of linux/amd64, no kubeconfig"), None);
    }
}
