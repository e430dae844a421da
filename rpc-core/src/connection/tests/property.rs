//! Any two correct machines, whatever their limits and however their bytes and their users interleave.

use proptest::prelude::*;

use super::super::*;
use super::kit::config;
use super::world::{Answer, Fortune, Plan, World};

fn any_config() -> impl Strategy<Value = Config> {
    let windows = (
        prop::sample::select(vec![1024, 1500, 4096, 64 << 10]),
        prop::sample::select(vec![1024, 2048, 16 << 10, 1 << 20]),
    );
    let sizes = (
        prop::sample::select(vec![64, 700, 4096, 16 << 10, 1 << 20]),
        prop::sample::select(vec![2000, 12 << 10, 4 << 20]),
        prop::sample::select(vec![0, 1000, 10_000, 16 << 20]),
    );
    let rest = (prop::sample::select(vec![1, 2, 4, 1024]), prop::sample::select(vec![16 << 10, 64 << 10]));
    (windows, sizes, rest).prop_map(|((stream, connection), (chunk, message, buffer), (calls, frame))| {
        config(|config| {
            config.chunk_bytes = chunk;
            config.buffer_bytes_max = buffer;
            config.settings.stream_window_bytes = stream;
            config.settings.connection_window_bytes = connection;
            config.settings.message_bytes_max = message;
            config.settings.calls_max = calls;
            config.settings.frame_bytes_max = frame;
        })
    })
}

fn any_length() -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => 0..40_usize,
        2 => 200..1100_usize,
        2 => 1100..9000_usize,
        1 => 9000..40_000_usize,
    ]
}

fn any_items() -> impl Strategy<Value = Option<Vec<usize>>> {
    let few = prop::collection::vec(any_length(), 0..6);
    let many = prop::collection::vec(0..30_usize, 0..100);
    prop_oneof![2 => Just(None), 2 => few.prop_map(Some), 1 => many.prop_map(Some)]
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let reply = (any_length(), any_items(), prop::bool::weighted(0.2));
    prop_oneof![
        10 => reply.prop_map(|(result, items, then_status)| Answer::Reply { result, items, then_status }),
        1 => Just(Answer::Status),
        1 => Just(Answer::Refuse),
        1 => Just(Answer::Never),
    ]
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let flags = (
        prop::bool::weighted(0.1),
        any::<bool>(),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.8),
        prop::option::weighted(0.2, 0..12_usize),
    );
    (any_length(), any_items(), any_answer(), flags).prop_map(
        |(arguments, items, answer, (oneway, answers_last, callee_reads, caller_reads, cancel_after))| Plan {
            arguments,
            request_items: items.filter(|_| !oneway),
            oneway,
            answer,
            answers_last: answers_last && callee_reads,
            callee_reads,
            caller_reads,
            cancel_after,
        },
    )
}

fn any_fortune() -> impl Strategy<Value = Fortune> {
    prop_oneof![
        6 => Just(Fortune::Quiet),
        1 => (0..200_usize).prop_map(Fortune::DrainAt),
        1 => (0..200_usize).prop_map(Fortune::CutAt),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn calls_end_once_and_right_under_any_interleaving(
        configs in (any_config(), any_config()),
        plans in prop::collection::vec(any_plan(), 1..8),
        fortune in any_fortune(),
        schedule in prop::collection::vec(any::<u16>(), 0..300),
    ) {
        World::new(configs, plans, fortune).run(&schedule);
    }
}
