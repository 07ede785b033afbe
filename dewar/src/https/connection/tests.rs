use super::super::activity::{Activity, Open};
use super::{Verdict, Watch};
use crate::https::Limits;
use crate::testing::Frame;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// One answer that moves by so much before each look; how many looks find nothing wrong.
fn looks(activity: &Arc<Activity>, mut each: impl FnMut(&Activity)) -> usize {
    let limits = Limits::default();
    let mut watch = Watch::new(&limits);
    let mut fine = 0;
    loop {
        each(activity);
        match watch.look(activity, &limits) {
            Verdict::Fine if fine < 1_000 => fine += 1,
            Verdict::Fine | Verdict::Stuck => return fine,
            Verdict::Old | Verdict::Quiet => panic!("an answer is being sent"),
        }
    }
}

#[test]
fn an_answer_that_moves_is_waited_for_as_long_as_it_takes() {
    let least = Limits::default().progress_bytes;
    for (bytes, fine) in [(least, 1_000), (least - 1, 1), (0, 1)] {
        let activity = Arc::new(Activity::default());
        let _open = Open::begin(&activity).sending();
        let moves = |activity: &Activity| {
            activity.written.fetch_add(bytes, Ordering::Relaxed);
        };
        assert_eq!(looks(&activity, moves), fine, "{bytes}");
    }
}

/// What is sent over HTTP/2 after hyper gave the whole body to h2: no request is open by then.
#[test]
fn an_answer_that_moves_over_http2_is_waited_for_as_long_as_it_takes() {
    let least = usize::try_from(Limits::default().progress_bytes).unwrap();
    for (bytes, fine) in [(least, 1_000), (least - 1, 1), (0, 1)] {
        let activity = Arc::new(Activity::of_http2());
        drop(Open::begin(&activity).sending());
        let head = Frame::new(Frame::HEADERS, Frame::END_HEADERS, 1, [0x88]);
        activity.frames().unwrap().say(&head.bytes());
        let part = Frame::new(Frame::DATA, 0, 1, vec![b'x'; bytes]).bytes();
        let moves = |activity: &Activity| {
            activity.frames().unwrap().say(&part);
        };
        assert_eq!(looks(&activity, moves), fine, "{bytes}");
    }
}

#[test]
fn a_connection_without_a_new_request_is_quiet() {
    let limits = Limits::default();
    let activity = Arc::new(Activity::default());
    let mut watch = Watch::new(&limits);
    drop(Open::begin(&activity));
    assert!(matches!(watch.look(&activity, &limits), Verdict::Fine));
    assert!(matches!(watch.look(&activity, &limits), Verdict::Quiet));
}
