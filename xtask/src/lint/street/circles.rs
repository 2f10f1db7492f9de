//! Circles among the files of a room: of two files in one, neither can be read, tested or moved without the other.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write as _,
    path::Path,
};

use super::modules::Use;

type Uses<'a> = BTreeMap<&'a Path, Vec<&'a Use>>;

/// Describes each circle, a shortest one where several share files.
pub(super) fn describe(uses: &[Use]) -> Vec<String> {
    let mut by_user = Uses::new();
    for it in uses {
        by_user.entry(&it.user).or_default().push(it);
    }
    let mut circles: Vec<Vec<&Use>> = by_user.keys().filter_map(|file| shortest(file, &by_user)).collect();
    circles.sort_by_key(Vec::len);
    let mut seen = BTreeSet::new();
    circles.retain(|circle| {
        let known = circle.iter().any(|it| seen.contains(&it.user));
        seen.extend(circle.iter().map(|it| &it.user));
        !known
    });
    circles.iter().map(|circle| sentence(circle)).collect()
}

/// Returns the shortest path along uses from a file back to itself.
fn shortest<'a>(file: &'a Path, uses: &Uses<'a>) -> Option<Vec<&'a Use>> {
    let mut reached: BTreeMap<&Path, &Use> = BTreeMap::new();
    let mut next = VecDeque::from([file]);
    while let Some(user) = next.pop_front() {
        for it in uses.get(user).into_iter().flatten() {
            if !reached.contains_key(&*it.definer) {
                reached.insert(&it.definer, it);
                next.push_back(&it.definer);
            }
        }
    }
    let mut circle = vec![*reached.get(file)?];
    while circle[circle.len() - 1].user != file {
        circle.push(reached[&*circle[circle.len() - 1].user]);
    }
    circle.reverse();
    Some(circle)
}

fn sentence(circle: &[&Use]) -> String {
    let mut text = format!("a circle of {} files: src/{}", circle.len(), circle[0].user.display());
    for it in circle {
        let _ = write!(text, "\n  uses `{}` of src/{}", it.path, it.definer.display());
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn circles(edges: &[(&str, &str)]) -> Vec<String> {
        let edge = |&(user, definer): &(&str, &str)| Use {
            user: PathBuf::from(user),
            definer: PathBuf::from(definer),
            path: format!("super::{definer}"),
        };
        describe(&edges.iter().map(edge).collect::<Vec<_>>())
    }

    #[test]
    fn a_circle_is_named_with_what_closes_it() {
        let edges = [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")];
        assert_eq!(
            circles(&edges),
            [
                "a circle of 3 files: src/a\n  uses `super::b` of src/b\n  uses `super::c` of src/c\n  uses `super::a` of src/a"
            ]
        );
    }

    #[test]
    fn each_of_several_is_named_once_the_shortest_first() {
        let edges = [("a", "b"), ("b", "c"), ("c", "a"), ("x", "y"), ("y", "x"), ("a", "x")];
        let found = circles(&edges);
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("a circle of 2 files: src/x"), "{found:?}");
    }

    #[test]
    fn files_in_order_have_none() {
        assert_eq!(circles(&[("a", "b"), ("a", "c"), ("b", "c"), ("d", "a")]), Vec::<String>::new());
    }
}
