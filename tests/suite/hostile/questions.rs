//! Tests of a guest that makes its user answer questions, until the user says yes to be left alone.

use kwasm_apiserver::User;

use crate::support::{Conversation, Kwasm, component, kubeconfig, seed};

/// Runs the guest at a terminal where every question is declined, and returns their number.
fn questions(kwasm: &Kwasm) -> usize {
    let guest = component("floods-questions");
    let mut conversation = Conversation::start(&kwasm.command([
        "run",
        "--ask",
        "--policy",
        "none",
        guest.to_str().unwrap(),
    ]));
    let mut asked = 0;
    while conversation.wait_for_or_end("[no]: ").is_some() {
        asked += 1;
        conversation.enter("no\n");
    }
    let (run, terminal) = conversation.end();
    assert!(run.stdout.contains("done: 0 of 14 answered"), "{}\n{terminal}", run.shown());
    asked
}

#[test]
fn flooding_the_user_with_questions() {
    let server = seed();
    let kwasm = || Kwasm::new().kubeconfig(kubeconfig(&server, User::Certificate));
    let kwasms = [
        kwasm().variable("KWASM_WITHOUT", "question-limit"),
        kwasm().faulty(),
        kwasm().without("question-limit"),
    ];
    let asked = std::thread::scope(|scope| {
        let runs = kwasms.each_ref().map(|kwasm| scope.spawn(|| questions(kwasm)));
        runs.map(|run| run.join().unwrap())
    });
    assert_eq!(asked, [10, 10, 14]);
    assert!(server.requests().is_empty());
}
