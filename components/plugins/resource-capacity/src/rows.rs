//! The rows of tables and of CSV.

use crate::Shown;
use crate::capacity::{Capacity, Count, Share, Shares};
use crate::figures::Unit;
use plugin_kit::{Style, Table};
use std::io::{self, Write};

/// What stands for all.
const ALL: &str = "*";

/// A row: of all, a node, a pod or a container.
struct Row<'a> {
    names: [&'a str; 4],
    shares: &'a Shares,
    count: Option<Count>,
}

/// Returns the rows, those of pods and containers if they are shown.
fn rows(capacity: &Capacity, shown: Shown) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    // The sum of one is that one.
    if capacity.nodes.len() > 1 {
        rows.push(Row { names: [ALL; 4], shares: &capacity.total, count: Some(capacity.count) });
    }
    for node in &capacity.nodes {
        let names = [node.name.as_str(), ALL, ALL, ALL];
        rows.push(Row { names, shares: &node.shares, count: Some(node.count) });
        for pod in node.pods.iter().filter(|_| shown.pods) {
            let names = [node.name.as_str(), pod.namespace.as_str(), pod.name.as_str(), ALL];
            rows.push(Row { names, shares: &pod.shares, count: None });
            for container in pod.containers.iter().filter(|_| shown.containers) {
                let names = [names[0], names[1], names[2], container.name.as_str()];
                rows.push(Row { names, shares: &container.shares, count: None });
            }
        }
    }
    rows
}

/// Returns the headings of the names that are shown, and which they are.
fn names(shown: Shown) -> Vec<(usize, &'static str)> {
    let all = [
        (true, "NODE"),
        (shown.pods && shown.all_namespaces, "NAMESPACE"),
        (shown.pods, "POD"),
        (shown.containers, "CONTAINER"),
    ];
    all.into_iter().enumerate().filter(|(_, (is, _))| *is).map(|(index, (_, name))| (index, name)).collect()
}

/// Prints a table.
pub(crate) fn table(capacity: &Capacity, shown: Shown, style: Style, out: &mut impl Write) -> io::Result<()> {
    let named = names(shown);
    let columns = [
        (shown.requests, "CPU REQUESTS", "MEMORY REQUESTS"),
        (shown.limits, "CPU LIMITS", "MEMORY LIMITS"),
        (shown.used, "CPU UTIL", "MEMORY UTIL"),
    ];
    let columns: Vec<_> = columns.into_iter().filter(|(is, ..)| *is).collect();
    let headings = named.iter().map(|(_, name)| *name);
    let headings = headings.chain(columns.iter().map(|(_, cpu, _)| *cpu));
    let headings = headings.chain(columns.iter().map(|(_, _, memory)| *memory));
    let mut table =
        Table::new(headings.chain(shown.count.then_some("POD COUNT")).collect::<Vec<&'static str>>());
    for row in rows(capacity, shown) {
        let is_node = row.names[0] != ALL && row.count.is_some();
        if shown.pods && is_node {
            table.row([""]);
        }
        let mut cells: Vec<String> = named.iter().map(|(index, _)| row.names[*index].to_owned()).collect();
        for (unit, share) in [(Unit::Cpu, &row.shares.cpu), (Unit::Memory, &row.shares.memory)] {
            for amount in amounts(share, shown) {
                let cell = if shown.available {
                    unit.available(amount, share)
                } else {
                    unit.with_percent(amount, share)
                };
                cells.push(cell);
            }
        }
        if let Some(count) = row.count.filter(|_| shown.count) {
            cells.push(count.to_string());
        }
        table.row(cells);
    }
    table.print(style, true, out)
}

/// Prints comma-separated values, or those of another separator.
pub(crate) fn separated(
    capacity: &Capacity,
    shown: Shown,
    (separator, style): (&str, Style),
    out: &mut impl Write,
) -> io::Result<()> {
    let named = names(shown);
    let quoted = |text: &str| format!("\"{}\"", style.value(text).replace('"', "\"\""));
    let mut headings: Vec<String> = named.iter().map(|(_, name)| quoted(name)).collect();
    let columns = [(shown.requests, "REQUESTS"), (shown.limits, "LIMITS"), (shown.used, "UTIL")];
    for (resource, unit) in [("CPU", "milli"), ("MEMORY", "Mi")] {
        headings.push(format!("{resource} CAPACITY ({unit})"));
        for (_, name) in columns.iter().filter(|(is, _)| *is) {
            headings.extend([format!("{resource} {name}"), format!("{resource} {name} %")]);
        }
    }
    if shown.count {
        headings.extend(["POD COUNT CURRENT".to_owned(), "POD COUNT ALLOCATABLE".to_owned()]);
    }
    writeln!(out, "{}", headings.join(separator))?;
    for row in rows(capacity, shown) {
        let mut cells: Vec<String> = named.iter().map(|(index, _)| quoted(row.names[*index])).collect();
        for (unit, share) in [(Unit::Cpu, &row.shares.cpu), (Unit::Memory, &row.shares.memory)] {
            cells.push(unit.number(share.allocatable).to_string());
            for amount in amounts(share, shown) {
                let percent = crate::figures::percent(amount, share.allocatable);
                cells.extend([unit.number(amount).to_string(), percent.to_string()]);
            }
        }
        if shown.count {
            let text =
                |number: fn(Count) -> i128| row.count.map_or(String::new(), |all| number(all).to_string());
            cells.extend([text(|count| count.current), text(|count| count.allocatable)]);
        }
        writeln!(out, "{}", cells.join(separator))?;
    }
    Ok(())
}

/// Returns those amounts of a share that are shown.
fn amounts(share: &Share, shown: Shown) -> impl Iterator<Item = plugin_kit::Quantity> {
    let all = [(shown.requests, share.request), (shown.limits, share.limit), (shown.used, share.used)];
    all.into_iter().filter(|(is, _)| *is).map(|(_, amount)| amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::{Container, Node, Pod};
    use plugin_kit::Quantity;

    fn capacity(nodes: &[&str]) -> Capacity {
        let of = |text| Quantity::parse(text).unwrap();
        let cpu = Share { allocatable: of("2"), request: of("250m"), limit: of("1"), used: of("7m") };
        let memory = Share { allocatable: of("1Gi"), request: of("64Mi"), limit: of("128Mi"), used: of("1") };
        let shares = Shares { cpu, memory };
        let pod = || Pod {
            name: "web\"".to_owned(),
            namespace: "shop".to_owned(),
            shares,
            containers: vec![Container { name: "main".to_owned(), shares }],
        };
        let count = Count { current: 1, allocatable: 110 };
        let node = |name: &&str| Node { name: (*name).to_owned(), shares, count, pods: vec![pod()] };
        Capacity { total: shares, count, nodes: nodes.iter().map(node).collect() }
    }

    const SHOWN: Shown = Shown {
        pods: false,
        containers: false,
        all_namespaces: true,
        requests: true,
        limits: true,
        used: false,
        count: false,
        available: false,
    };

    fn printed(capacity: &Capacity, shown: Shown) -> String {
        let mut out = Vec::new();
        table(capacity, shown, Style::PLAIN, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nodes_have_rows_and_several_have_a_sum() {
        let expected = "\
NODE   CPU REQUESTS   CPU LIMITS    MEMORY REQUESTS   MEMORY LIMITS
*      250m (12%)     1000m (50%)   64Mi (6%)         128Mi (12%)
a      250m (12%)     1000m (50%)   64Mi (6%)         128Mi (12%)
b      250m (12%)     1000m (50%)   64Mi (6%)         128Mi (12%)
";
        assert_eq!(printed(&capacity(&["a", "b"]), SHOWN), expected);
        assert!(!printed(&capacity(&["a"]), SHOWN).contains('*'));
    }

    #[test]
    fn pods_and_containers_stand_below_their_node() {
        let shown = Shown { pods: true, containers: true, available: true, limits: false, ..SHOWN };
        let expected = "\
NODE   NAMESPACE   POD    CONTAINER   CPU REQUESTS   MEMORY REQUESTS   POD COUNT

a      *           *      *           1750m/2000m    960Mi/1024Mi      1/110
a      shop        web\"   *           1750m/2000m    960Mi/1024Mi
a      shop        web\"   main        1750m/2000m    960Mi/1024Mi
";
        assert_eq!(printed(&capacity(&["a"]), Shown { count: true, ..shown }), expected);
        let one = printed(&capacity(&["a"]), Shown { all_namespaces: false, ..shown });
        assert!(one.starts_with("NODE   POD    CONTAINER"), "{one}");
    }

    #[test]
    fn separated_values_have_numbers_without_units() {
        let shown = Shown { pods: true, limits: false, used: true, count: true, ..SHOWN };
        let mut out = Vec::new();
        separated(&capacity(&["a"]), shown, (",", Style::PLAIN), &mut out).unwrap();
        let expected = "\
\"NODE\",\"NAMESPACE\",\"POD\",CPU CAPACITY (milli),CPU REQUESTS,CPU REQUESTS %,CPU UTIL,CPU UTIL %,\
MEMORY CAPACITY (Mi),MEMORY REQUESTS,MEMORY REQUESTS %,MEMORY UTIL,MEMORY UTIL %,\
POD COUNT CURRENT,POD COUNT ALLOCATABLE
\"a\",\"*\",\"*\",2000,250,12,7,0,1024,64,6,1,0,1,110
\"a\",\"shop\",\"web\"\"\",2000,250,12,7,0,1024,64,6,1,0,,
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
