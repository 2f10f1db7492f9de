//! The JSON schema of policies agrees with the reader, by the word of a validator that is not kwasm's.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use kwasm_registry::tool;

use super::{HEAD, check};
use crate::support::{Kwasm, Run, skip};

/// Policies that the reader accepts, by their `spec`.
const VALID: &[&str] = &[
    "{}",
    "{description: 'Says: what, it is # no comment.'}",
    "{kubernetes: {}}",
    "{kubernetes: {contexts: '*', impersonate: true, rules: []}}",
    "{kubernetes: {contexts: [current, prod, 'a: b', '*'], rules: [{nonResourceURLs: ['*'], verbs: ['*']}]}}",
    "{kubernetes: {rules: [{apiGroups: ['', apps, a.b-c.d], resources: ['*', pods/log, '*/scale'], verbs: [get, proxy],
      namespaces: [current, a-1, '*'], resourceNames: ['a: b', 'true', system:x], except: [secrets, '*/exec', a/b],
      reason: Because., optional: true}]}}",
    "{kubernetes: {rules: [{apiGroups: ['*'], resources: [pods], verbs: ['*'], namespaces: '*', resourceNames: [], except: []}]}}",
    "{kubernetes: {rules: [{nonResourceURLs: [/, '/api*', '/openapi/*', '/a b'], verbs: [head, options], reason: x, optional: false}]}}",
    "{files: [{path: .}, {path: '~/a: b', access: read-write}, {path: $XDG_DATA_HOME/x, access: read-only}]}",
    "{environment: [EDITOR, 'MY_*', _X9, AWS_REGION]}",
    "{network: [{host: api.github.com, port: 8443, private: true}, {host: '[2606:4700::1111]'}, {host: 10.0.0.1, private: true}]}",
    "{network: [{host: a, port: '443'}]}",
    "{flags: {own: ['-s', --cluster, --as-group]}}",
    "{flags: {}}",
    "{limits: {memory: 512Mi, timeout: none, requests: 1, sockets: 1024, headers: 128Ki, stack: 1Mi, reuse: 1000}}",
    "{limits: {memory: 1048576, headers: '1024', timeout: 1h30m, requests: '7'}}",
    "{limits: {timeout: 5m}}",
    "{limits: {}}",
    "{stableOnly: true}",
    "{stableOnly: false}",
];

/// Policies that neither the reader nor the schema accepts, by their `spec`.
const INVALID: &[&str] = &[
    "null",
    "[]",
    "{unknown: 1}",
    "{description: [x]}",
    "{description: 1}",
    "{kubernetes: null}",
    "{kubernetes: {rule: []}}",
    "{kubernetes: {contexts: current}}",
    "{kubernetes: {contexts: []}}",
    "{kubernetes: {contexts: [1]}}",
    "{kubernetes: {impersonate: 'true'}}",
    "{stableOnly: 'true'}",
    "{stableOnly: []}",
    "{kubernetes: {rules: {}}}",
    "{kubernetes: {rules: [x]}}",
    "{kubernetes: {rules: [{}]}}",
    "{kubernetes: {rules: [{resources: [pods], verbs: [get]}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], verbs: [get]}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods]}]}}",
    "{kubernetes: {rules: [{apiGroups: [], resources: [pods], verbs: [get]}]}}",
    "{kubernetes: {rules: [{apiGroups: [Apps], resources: [pods], verbs: [get]}]}}",
    "{kubernetes: {rules: [{apiGroups: [a..b], resources: [pods], verbs: [get]}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods/], verbs: [get]}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods/log/x], verbs: [get]}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: ['pods/*'], verbs: [get]}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [-pods], verbs: [get]}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [read]}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [head]}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: get}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [get], namespaces: shop}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [get], namespaces: []}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [get], namespaces: [Shop]}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [get], resourceNames: ['']}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [get], except: ['*']}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [get], optional: 1}]}}",
    "{kubernetes: {rules: [{apiGroups: [''], resources: [pods], verbs: [get], because: x}]}}",
    "{kubernetes: {rules: [{nonResourceURLs: [/version]}]}}",
    "{kubernetes: {rules: [{nonResourceURLs: [version], verbs: [get]}]}}",
    "{kubernetes: {rules: [{nonResourceURLs: ['/a*b'], verbs: [get]}]}}",
    "{kubernetes: {rules: [{nonResourceURLs: [/version], verbs: [list]}]}}",
    "{kubernetes: {rules: [{nonResourceURLs: [/version], verbs: [get], namespaces: [current]}]}}",
    "{kubernetes: {rules: [{nonResourceURLs: [/version], verbs: [get], apiGroups: ['']}]}}",
    "{files: {}}",
    "{files: [.]}",
    "{files: [{access: read-only}]}",
    "{files: [{path: ''}]}",
    "{files: [{path: ., access: write}]}",
    "{files: [{path: ., mode: ro}]}",
    "{environment: EDITOR}",
    "{environment: ['*']}",
    "{environment: ['MY*']}",
    "{environment: [A-B]}",
    "{environment: [1]}",
    "{network: {}}",
    "{network: [{port: 443}]}",
    "{network: [{host: Example.com}]}",
    "{network: [{host: 'https://example.com'}]}",
    "{network: [{host: example.com, port: 0}]}",
    "{network: [{host: example.com, port: 65536}]}",
    "{network: [{host: example.com, private: no way}]}",
    "{network: [{host: example.com, path: /}]}",
    "{flags: {own: [-x]}}",
    "{flags: {own: --cluster}}",
    "{flags: {theirs: []}}",
    "{limits: {memory: 5}}",
    "{limits: {memory: 1G}}",
    "{limits: {memory: -1}}",
    "{limits: {memory: 4294967297}}",
    "{limits: {timeout: 5}}",
    "{limits: {timeout: 5m1h}}",
    "{limits: {requests: 0}}",
    "{limits: {requests: 1025}}",
    "{limits: {sockets: many}}",
    "{limits: {cpu: 1}}",
];

/// Documents that neither accepts.
const NO_POLICIES: &[&str] = &[
    "{}\n",
    "[]\n",
    "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: test}\n",
    "apiVersion: kwasm.dev/v1\nkind: Policy\nspec: {}\n",
    "apiVersion: kwasm.dev/v1\nmetadata: {name: test}\nspec: {}\n",
    "kind: Policy\nmetadata: {name: test}\nspec: {}\n",
    "apiVersion: kwasm.dev/v2\nkind: Policy\nmetadata: {name: test}\nspec: {}\n",
    "apiVersion: kwasm.dev/v1\nkind: Trust\nmetadata: {name: test}\nspec: {}\n",
    "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: Test}\nspec: {}\n",
    "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: test, labels: {}}\nspec: {}\n",
    "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {}\nspec: {}\n",
    "apiVersion: kwasm.dev/v1\nkind: Policy\nmetadata: {name: test}\nspec: {}\nstatus: {}\n",
];

/// Returns the shipped policies with their names, and those that the pages show.
fn shipped() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("policies");
    let mut found: Vec<(String, String)> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    assert!(found.len() >= 6, "{found:?}");
    let page = fs::read_to_string(folder.join("README.md")).unwrap();
    let shown = page.split("```yaml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let whole = shown.filter(|text| text.contains("\nmetadata:\n"));
    found.extend(whole.enumerate().map(|(number, text)| (format!("page-{number}.yaml"), text.to_owned())));
    found
}

/// Returns the validator's verdict on each file of a folder, by the file's name.
fn verdicts(ajv: &Path, folder: &Path, schema: &Path) -> BTreeMap<String, bool> {
    let mut command = Command::new(ajv);
    command.args(["validate", "--spec=draft2020", "-s"]).arg(schema);
    command.arg("-d").arg(folder.join("*.yaml"));
    let run = Run::of(&mut command);
    let said = format!("{}{}", run.stdout, run.stderr);
    let verdict = |line: &str| {
        let (path, verdict) = line.rsplit_once(' ')?;
        let name = Path::new(path).file_name()?.to_str()?.to_owned();
        match verdict {
            "valid" => Some((name, true)),
            "invalid" => Some((name, false)),
            _ => None,
        }
    };
    let verdicts: BTreeMap<String, bool> = said.lines().filter_map(verdict).collect();
    assert!(!verdicts.is_empty(), "{said}");
    verdicts
}

#[test]
fn the_schema_accepts_the_policies_that_the_reader_accepts_and_refuses_what_it_refuses() {
    let Some(ajv) = tool("ajv") else {
        return skip("policies::the_schema", "there is no ajv: cargo xtask test says why");
    };
    let kwasm = Kwasm::new();
    let schema = kwasm.home().join("schema.json");
    fs::write(&schema, kwasm.call(["policy", "schema"]).success().stdout).unwrap();
    let folder = kwasm.home().join("documents");
    fs::create_dir(&folder).unwrap();
    let with_spec = |spec: &&str| format!("{HEAD}spec: {spec}\n");
    let named = |kind: &'static str, texts: Vec<String>| {
        texts.into_iter().enumerate().map(move |(number, text)| (format!("{kind}-{number}.yaml"), text))
    };
    let valid: Vec<(String, String)> =
        shipped().into_iter().chain(named("valid", VALID.iter().map(with_spec).collect())).collect();
    let invalid: Vec<(String, String)> = named("invalid", INVALID.iter().map(with_spec).collect())
        .chain(named("none", NO_POLICIES.iter().map(ToString::to_string).collect()))
        .collect();
    for (name, text) in valid.iter().chain(&invalid) {
        fs::write(folder.join(name), text).unwrap();
    }
    let verdicts = verdicts(&ajv, &folder, &schema);
    for (expected, documents) in [(true, &valid), (false, &invalid)] {
        for (name, text) in documents {
            let run = check(text);
            assert_eq!(
                run.code,
                Some(if expected { 0 } else { 2 }),
                "the reader: {name}\n{text}{}",
                run.shown()
            );
            assert_eq!(verdicts.get(name), Some(&expected), "the schema: {name}\n{text}");
        }
    }
    println!("{} documents, {} of them valid", valid.len() + invalid.len(), valid.len());
}
