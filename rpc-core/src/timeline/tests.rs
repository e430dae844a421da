use super::*;
use crate::{Code, Error, ErrorKind, Fate, MethodDescriptor, Status};

const MS: Duration = Duration::from_millis(1);
static GET: MethodDescriptor = MethodDescriptor::new("Leaf", "get");
static PUT: MethodDescriptor = MethodDescriptor::new("Leaf", "put");

/// A call that was opened 25 ms after it began, of which 20 went by connecting and 4 waiting for a slot.
fn opened(start: Instant, sent: Sent) -> Timeline {
    let mut timeline = Timeline::new(start + MS, 20 * MS, 4 * MS).opened(start + 25 * MS, sent);
    timeline.start(start, || start + 25 * MS);
    timeline
}

#[test]
fn the_parts_add_up_to_the_total() {
    let start = Instant::now();
    for sent in [Sent::Unknown, Sent::Not, Sent::AtOnce, Sent::At(start + 30 * MS)] {
        let mut timeline = Timeline::new(start + MS, 20 * MS, 4 * MS);
        timeline = timeline.opened(start + 25 * MS, sent).ended(start + 100 * MS);
        timeline.start(start, || panic!("the channel has said when it ended"));
        assert_eq!(timeline.total(), 100 * MS, "{timeline}");
        assert_eq!((timeline.layers(), timeline.connecting(), timeline.queue()), (MS, 20 * MS, 4 * MS));
    }
    // What passes between the parts, as while arguments are compressed, is time on this side.
    let mut timeline = Timeline::new(start + MS, 20 * MS, 4 * MS).opened(start + 35 * MS, Sent::AtOnce);
    timeline = timeline.ended(start + 100 * MS);
    timeline.start(start, || panic!("the channel has said when it ended"));
    assert_eq!((timeline.layers(), timeline.waiting(), timeline.total()), (11 * MS, 65 * MS, 100 * MS));
}

#[test]
fn a_line_names_what_took_time_and_where_the_call_ended() {
    let start = Instant::now();
    let line = |mut timeline: Timeline| {
        timeline.start(start, || start + 12_345 * MS);
        timeline.to_string()
    };
    assert_eq!(line(Timeline::default()), "12.3 s in layers here");
    let connecting = Timeline::new(start, 20 * MS, Duration::ZERO).ended(start + 20 * MS);
    assert_eq!(line(connecting), "20 ms connecting");
    let at_once = || Timeline::new(start, Duration::ZERO, Duration::ZERO).opened(start, Sent::AtOnce);
    assert_eq!(line(at_once().ended(start + 980 * MS)), "980 ms waiting for the answer");
    let mut answered = at_once().ended(start + 980 * MS);
    answered.server = Some(ServerTimes::new(MS / 5, 975 * MS));
    let server = "server: 0.2 ms queue, 975 ms handler; 5.0 ms on the way";
    assert_eq!(line(answered), format!("980 ms waiting for the answer ({server})"));
    let stuck = Timeline::new(start, Duration::ZERO, 5 * MS).opened(start + 5 * MS, Sent::Not);
    assert_eq!(line(stuck.ended(start + 8 * MS)), "5.0 ms queue, 3.0 ms waiting to be sent");
    let late = opened(start, Sent::At(start + 26 * MS)).ended(start + 26 * MS);
    assert_eq!(
        line(late),
        "1.0 ms in layers here, 20 ms connecting, 4.0 ms queue, 1.0 ms until sent, 0.0 ms waiting for the answer"
    );
    assert_eq!(Timeline::default().to_string(), "no time");
}

#[test]
fn what_the_connection_knew_is_added_to_what_the_channel_knows() {
    let start = Instant::now();
    let times = ServerTimes::new(MS, 9 * MS);
    let status = Error::from(Status::new(Code::Internal, "broken")).with_server_times(Some(times));
    let error = status.with_timeline(Timeline::default().opened_when(Sent::AtOnce));
    let error = error.with_timeline(opened(start, Sent::Unknown).ended(start + 50 * MS));
    let timeline = error.timeline().unwrap();
    assert_eq!((timeline.server(), timeline.sent), (Some(times), Sent::AtOnce));
    assert_eq!(timeline.waiting(), 25 * MS);
}

#[test]
fn a_server_that_lies_takes_no_more_than_its_own_words() {
    let start = Instant::now();
    let mut timeline = Timeline::new(start, Duration::ZERO, Duration::ZERO).opened(start, Sent::AtOnce);
    timeline = timeline.ended(start + 10 * MS);
    timeline.server = Some(ServerTimes::new(Duration::MAX, Duration::MAX));
    timeline.start(start, || panic!("it has ended"));
    assert_eq!((timeline.network(), timeline.total()), (Some(Duration::ZERO), 10 * MS));
    let claimed = "server: 2197949.5 s queue, 2197949.5 s handler; 0.0 ms on the way";
    assert_eq!(timeline.to_string(), format!("10 ms waiting for the answer ({claimed})"));
}

#[test]
fn an_error_prints_its_timeline_only_when_asked() {
    let start = Instant::now();
    let timeline = Timeline::new(start, 7 * MS, Duration::ZERO).ended(start + 7 * MS);
    let error = Error::new(ErrorKind::Connect, "nobody listens")
        .with_method("Maths/add")
        .with_peer("tcp://10.0.0.7:900")
        .with_timeline(timeline);
    let plain = "Maths/add at tcp://10.0.0.7:900 failed: nobody listens (the call did not run)";
    assert_eq!(error.to_string(), plain);
    assert_eq!(format!("{error:#}"), format!("{plain} [7.0 ms connecting]"));
    assert_eq!(format!("{:#}", Error::new(ErrorKind::Config, "no timeline")), "no timeline");
}

#[test]
fn a_status_says_where_the_time_went_in_so_many_bytes() {
    let start = Instant::now();
    let failed = |text: &str| {
        let timeline = opened(start, Sent::AtOnce).ended(start + 100 * MS);
        let error = Error::from(Status::new(Code::NotFound, text).with_details(&b"kept"[..]));
        error.with_method("Leaf/get").with_peer("tcp://leaf:1").with_timeline(timeline).to_status()
    };
    let status = failed("no such key");
    assert_eq!((status.code(), &**status.details()), (Code::NotFound, &b"kept"[..]));
    assert_eq!(
        status.message(),
        "no such key [Leaf/get at tcp://leaf:1: 1.0 ms in layers here, 20 ms connecting, 4.0 ms queue, 75 ms waiting for the answer]"
    );
    let long = "x".repeat(1_000);
    assert_eq!(failed(&long).message(), long);
    assert_eq!(Error::deadline_exceeded().to_status().code(), Code::DeadlineExceeded);
}

#[test]
fn a_discreet_status_names_nothing_that_lies_behind() {
    let start = Instant::now();
    let timeline = || opened(start, Sent::AtOnce).ended(start + 100 * MS);
    let lost = || Error::new(ErrorKind::ConnectionLost, "the link failed").with_method("Leaf/get");
    let told = |error: Error| error.with_timeline(timeline()).to_discreet_status().to_string();
    let short = "UNAVAILABLE: a call to a service behind this server failed; see the server's log";
    assert_eq!(told(lost().with_peer("tcp://leaf:1")), short);
    let status =
        || Error::from(Status::new(Code::NotFound, "no key at tcp://store:1").with_details(&b"kept"[..]));
    let passed_on = status().with_peer("tcp://leaf:1").with_timeline(timeline()).to_discreet_status();
    assert_eq!((passed_on.code(), &**passed_on.details()), (Code::NotFound, &b"kept"[..]));
    assert_eq!(passed_on.message(), "a call to a service behind this server failed; see the server's log");
    assert_eq!(told(status()), "NOT_FOUND: no key at tcp://store:1", "the handler says so itself");
    let own = Error::new(ErrorKind::DeadlineExceeded, "the server's Timeout of 5ms passed");
    assert!(told(own).starts_with("DEADLINE_EXCEEDED: the server's Timeout of 5ms passed"));
}

#[test]
fn who_gives_a_call_up_hears_how_far_it_got() {
    struct Leaves(&'static str);
    impl Drop for Leaves {
        fn drop(&mut self) {
            let timeline = Timeline::new(Instant::now(), 3 * MS, Duration::ZERO);
            abandon(|| Abandoned { peer: self.0.to_owned(), method: None, timeline });
        }
    }
    /// Gives up calls itself while it is given up, and keeps what it hears of them.
    struct Nested(Option<Leaves>);
    impl Drop for Nested {
        fn drop(&mut self) {
            let listener = Listener::new();
            self.0 = None;
            assert_eq!(listener.heard().unwrap().peer, "the inner");
        }
    }
    drop(Leaves("nobody listens"));
    let mut both = Some((Leaves("the first"), Leaves("the second")));
    let error = Error::deadline_exceeded().giving_up(|| both = None);
    assert_eq!((error.kind(), error.peer()), (ErrorKind::DeadlineExceeded, Some("the first")));
    assert_eq!(error.timeline().map(Timeline::connecting), Some(3 * MS));
    assert!(Error::deadline_exceeded().giving_up(|| ()).timeline().is_none());
    let nested = (Nested(Some(Leaves("the inner"))), Leaves("the outer"));
    let listener = Listener::new();
    drop(nested);
    assert_eq!(listener.heard().unwrap().peer, "the outer");
    drop(Leaves("nobody listens any more"));
    assert!(Listener::new().heard().is_none());
}

#[test]
fn a_first_attempt_that_found_no_connection_did_not_run() {
    let start = Instant::now();
    let given_up = || Error::deadline_exceeded().with_method("Leaf/get");
    let fate = |timeline: Timeline| given_up().with_timeline(timeline).of_call(&GET, start).fate();
    let connecting = |since| Timeline::new(since, MS, Duration::ZERO).ended(start + 9 * MS);
    assert_eq!(fate(connecting(start)), Fate::NeverSent);
    assert_eq!(fate(connecting(start + MS)), Fate::MaybeExecuted, "there may have been one before");
    assert_eq!(fate(connecting(start).opened(start, Sent::Not)), Fate::MaybeExecuted, "it goes out yet");
    assert_eq!(fate(Timeline::default()), Fate::MaybeExecuted, "nobody knows");
    let onward = given_up().with_timeline(connecting(start)).of_call(&PUT, start);
    assert_eq!(onward.fate(), Fate::MaybeExecuted, "a handler of this process called onward");
}

#[test]
fn a_call_of_which_one_attempt_was_opened_is_not_said_to_have_not_run() {
    struct Attempt(Timeline);
    impl Drop for Attempt {
        fn drop(&mut self) {
            let (method, timeline) = (Some(&GET), self.0.clone());
            abandon(|| Abandoned { peer: String::new(), method, timeline });
        }
    }
    let start = Instant::now();
    let connecting = || Attempt(Timeline::new(start, MS, Duration::ZERO).ended(start + 9 * MS));
    let opened = || Attempt(opened(start, Sent::AtOnce).ended(start + 100 * MS));
    let fate = |attempts: [Attempt; 2]| {
        let error = Error::deadline_exceeded().giving_up(|| drop(attempts)).of_call(&GET, start);
        (error.fate(), error.timeline().unwrap().was_sent())
    };
    assert_eq!(fate([connecting(), connecting()]), (Fate::NeverSent, false));
    assert_eq!(fate([connecting(), opened()]), (Fate::MaybeExecuted, true));
    assert_eq!(fate([opened(), connecting()]), (Fate::MaybeExecuted, true));
}

#[test]
fn a_call_may_be_given_up_by_a_thread_that_is_ending() {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            let listener = Listener::new();
            abandon(|| unreachable!("nobody can listen any more"));
            assert!(listener.heard().is_none());
        }
    }
    thread_local!(static LAST: Last = const { Last });
    let thread = std::thread::spawn(|| {
        // What was used last ends first.
        LAST.with(|_| ());
        drop(Listener::new());
    });
    thread.join().unwrap();
}
