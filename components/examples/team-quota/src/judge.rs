//! The judging: what there is, what is asked for, and a bound make a verdict.

use admission::{Request, Verdict};
use plugin_kit::Quantity;
use plugin_kit::requests::{Listed, Pod, Status};

use crate::quotas::Quota;
use crate::usage::{self, Usage};

/// The share of a bound, in percent, from which its team is warned.
const WARNED: i128 = 80;

/// Returns what a pod that is reviewed needs; `None` if nothing is to be judged: it is no pod, or an update that needs no more
/// than before. So a pod of a team that has too much already can still be labelled, finished and deleted.
///
/// What it needs is what its specification says. Its status says what it has: of a pod whose resizing is infeasible, less than
/// that, whatever it is resized to next.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn asked(request: &Request) -> Result<Option<Listed>, String> {
    if (&*request.kind.group, &*request.kind.kind) != ("", "Pod") || request.object.is_null() {
        return Ok(None);
    }
    let read = |object: &serde_json::Value| {
        let mut pod: Pod =
            serde_json::from_value(object.clone()).map_err(|error| format!("the pod: {error}"))?;
        pod.status = Status::default();
        Ok::<_, String>(usage::of_pod(&pod))
    };
    let new = read(&request.object)?;
    if request.old_object.is_null() {
        return Ok(Some(new));
    }
    let old = read(&request.old_object)?;
    Ok((new.cpu > old.cpu || new.memory > old.memory).then_some(new))
}

/// Judges what a pod needs by what its team has already.
pub(crate) fn verdict(team: &str, quota: Quota, used: Usage, asked: Listed) -> Verdict {
    let bounds = [
        ("CPUs", quota.cpu, used.requests.cpu, asked.cpu, plain as fn(Quantity) -> String),
        ("memory", quota.memory, used.requests.memory, asked.memory, mebibytes),
        ("pods", quota.pods, used.requests.pods, asked.pods, plain),
    ];
    let (mut denials, mut warnings) = (Vec::new(), Vec::new());
    for (what, bound, used, asked, shown) in bounds {
        let (Some(bound), used, asked) = (bound, used.unwrap_or_default(), asked.unwrap_or_default()) else {
            continue;
        };
        let after = used + asked;
        if after > bound {
            let left = (bound - used).max(Quantity::default());
            let [asked, left, bound] = [asked, left, bound].map(shown);
            denials.push(format!("{what}: {asked} more asked for, and {left} of {bound} left"));
        } else if let Some(percent) = after.percent_of(bound).filter(|percent| *percent >= WARNED) {
            let [left, bound] = [bound - after, bound].map(shown);
            warnings.push(format!("{what}: {percent} % requested, {left} of {bound} left"));
        }
    }
    let whose = |what: &str| format!("team {team}, in {} namespaces: {what}", used.namespaces);
    let verdict =
        if denials.is_empty() { Verdict::allow() } else { Verdict::deny(whose(&denials.join("; "))) };
    warnings.iter().fold(verdict, |verdict, warning| verdict.warn(whose(warning)))
}

fn plain(quantity: Quantity) -> String {
    quantity.to_string()
}

fn mebibytes(quantity: Quantity) -> String {
    const MEBIBYTE: i128 = 1 << 20;
    let bytes = quantity.rounded();
    format!("{}Mi", bytes / MEBIBYTE + i128::from(bytes % MEBIBYTE != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn listed(cpu: &str, memory: &str) -> Listed {
        Listed { cpu: Quantity::parse(cpu), memory: Quantity::parse(memory), pods: Quantity::parse("1") }
    }

    fn response(used: Listed, asked: Listed) -> Value {
        let quota = Quota { cpu: Quantity::parse("10"), memory: Quantity::parse("1Gi"), pods: None };
        let used = Usage { requests: used, namespaces: 2 };
        verdict("shop", quota, used, asked).review("1")["response"].clone()
    }

    #[test]
    fn what_fits_exactly_is_admitted_and_a_thousandth_more_is_denied() {
        let fits = response(listed("8", "0"), listed("2", "0"));
        assert_eq!(fits["allowed"], true);
        assert_eq!(
            fits["warnings"],
            json!(["team shop, in 2 namespaces: CPUs: 100 % requested, 0 of 10 left"])
        );
        let denied = response(listed("8", "0"), listed("2001m", "0"));
        assert_eq!(
            denied["status"]["message"],
            "team shop, in 2 namespaces: CPUs: 2001m more asked for, and 2 of 10 left"
        );
        let both = response(listed("11", "1Gi"), listed("1", "1"));
        assert_eq!(
            both["status"]["message"],
            "team shop, in 2 namespaces: CPUs: 1 more asked for, and 0 of 10 left; \
             memory: 1Mi more asked for, and 0Mi of 1024Mi left"
        );
    }

    #[test]
    fn a_team_is_warned_from_four_fifths_on() {
        assert_eq!(response(listed("7", "0"), listed("999m", "0")).get("warnings"), None);
        let warned = response(listed("7", "0"), listed("1", "0"));
        assert_eq!(warned["warnings"][0], "team shop, in 2 namespaces: CPUs: 80 % requested, 2 of 10 left");
    }

    fn pod(cpu: &str) -> Value {
        json!({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": cpu}}}]}})
    }

    fn asked(kind: &str, old: Value, new: Value) -> Option<Listed> {
        let kind = admission::Kind { kind: kind.to_owned(), ..Default::default() };
        super::asked(&Request { kind, object: new, old_object: old, ..Request::default() }).unwrap()
    }

    #[test]
    fn what_is_no_pod_and_an_update_that_needs_no_more_are_not_judged() {
        assert_eq!(asked("Pod", Value::Null, pod("1")).unwrap().cpu, Quantity::parse("1"));
        assert_eq!(asked("Pod", pod("1"), pod("2")).unwrap().cpu, Quantity::parse("2"));
        assert_eq!(asked("Pod", pod("2"), pod("1")), None);
        assert_eq!(asked("Pod", pod("1"), Value::Null), None);
        assert_eq!(asked("Deployment", Value::Null, pod("1")), None);
    }

    #[test]
    fn a_resize_is_judged_by_what_it_asks_for_whatever_became_of_the_one_before() {
        let resized = |cpu: &str, resize: &str| {
            let mut pod = pod(cpu);
            let container = json!({"name": "a", "allocatedResources": {"cpu": "1"}});
            pod["status"] = json!({"resize": resize, "containerStatuses": [container]});
            pod
        };
        for resize in ["Infeasible", "Deferred", ""] {
            let asked = |old, new| asked("Pod", resized(old, resize), resized(new, resize));
            assert_eq!(asked("2", "3").unwrap().cpu, Quantity::parse("3"), "{resize}");
            assert_eq!(asked("3", "2"), None, "{resize}");
            assert_eq!(asked("3", "3"), None, "{resize}");
        }
    }
}
