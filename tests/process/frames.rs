//! Values and bytes, in and out.

use std::collections::HashMap;

use latido::actors::process::*;
use latido::exit::ExitReason;
use serde::{Deserialize, Serialize};

use super::support::*;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Number {
    n: u64,
}

#[actix::test]
async fn values_go_in_and_come_out_as_values() {
    let (to, mut numbers) = collector::<Frame<Number>>();
    let (double, end) = run(Process::new(program("double")).frames_to(to));
    for n in [1, 500, u64::from(u32::MAX)] {
        within(double.send(WriteFrame(Number { n }))).await.unwrap().unwrap();
        assert_eq!(within(numbers.recv()).await.unwrap(), Frame(Number { n: 2 * n }));
    }
    double.do_send(CloseInput);
    assert!(matches!(within(end).await.unwrap(), ExitReason::Normal), "it ends with its input");
}

#[actix::test]
async fn a_frame_of_another_type_ends_the_program_and_says_so() {
    let (to, mut numbers) = collector::<Frame<Number>>();
    let (double, end) = run(Process::new(program("double")).frames_to(to));
    for n in [13, 14] {
        let _ = within(double.send(WriteFrame(Number { n }))).await.unwrap(); // the second may come too late
    }
    let exit = failed(within(end).await.unwrap());
    let ExitCause::BadFrame(error) = &exit.cause else { panic!("{exit}") };
    assert!(error.contains("bad luck"), "{exit}");
    assert_eq!(exit.signal(), Some(15), "{exit}");
    assert_eq!(numbers.recv().await, None, "nothing is read after it");
}

#[actix::test]
async fn what_is_no_frame_at_all_is_not_taken_for_a_long_one() {
    let (to, _numbers) = collector::<Frame<Number>>();
    let (_, end) = run(Process::new(Command::shell("echo Hello, world; exec sleep 1000")).frames_to(to));
    let exit = failed(within(end).await.unwrap());
    assert_eq!(exit.cause, ExitCause::BadFrame("1214606444 bytes are too many".into()));
}

#[actix::test]
async fn a_value_without_a_form_in_json_is_an_error_to_its_sender() {
    let (cat, end) = run(Process::new(Command::new("cat")));
    let value = HashMap::from([((1, 2), "a key that is no text")]);
    let answer = within(cat.send(WriteFrame(value))).await.unwrap();
    assert!(matches!(answer, Err(ProcessError::NotJson(_))), "{answer:?}");
    cat.do_send(Stop);
    within(end).await.unwrap();
}

#[actix::test]
async fn bytes_come_back_as_they_were() {
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (to, mut chunks) = collector::<Chunk>();
    let (cat, end) = run(Process::new(Command::new("cat")).bytes_to(to));
    let written = actix::spawn(cat.send(WriteBytes(bytes.clone())));
    let mut received = Vec::new();
    while received.len() < bytes.len() {
        received.extend(within(chunks.recv()).await.unwrap().0);
    }
    assert!(received == bytes);
    within(written).await.unwrap().unwrap().unwrap();
    cat.do_send(Stop);
    within(end).await.unwrap();
}

#[actix::test]
async fn a_program_that_reads_to_the_end_answers_when_its_input_is_closed() {
    let (to, mut lines) = reader();
    let (sort, end) = run(Process::new(Command::new("sort")).lines_to(to));
    for word in ["pear", "apple"] {
        within(sort.send(WriteLine(word.into()))).await.unwrap().unwrap();
    }
    within(sort.send(CloseInput)).await.unwrap();
    let answer = within(sort.send(WriteLine("late".into()))).await.unwrap();
    assert!(matches!(answer, Err(ProcessError::InputClosed { .. })), "{answer:?}");
    assert!(matches!(within(end).await.unwrap(), ExitReason::Normal));
    assert_eq!([lines.recv().await.unwrap(), lines.recv().await.unwrap()], [out("apple"), out("pear")]);
}

#[actix::test]
async fn lines_of_standard_error_have_a_reader_of_their_own() {
    let (to, mut chunks) = collector::<Chunk>();
    let (errors, mut lines) = reader();
    let script = Command::shell("printf fine; echo bad >&2");
    let (_, end) = run(Process::new(script).bytes_to(to).errors_to(errors));
    within(end).await.unwrap();
    assert_eq!(chunks.recv().await, Some(Chunk(b"fine".to_vec())));
    assert_eq!(lines.recv().await, Some(Line { stream: StdStream::Err, text: "bad".into() }));
}
