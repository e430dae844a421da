//! A model of two applications over a pair of machines: it knows what each of them sends, and checks what arrives.
//!
//! Whoever waits polls again only when woken, so a waker that is forgotten shows as a call that never ends.

mod callee;
mod caller;

use std::sync::OnceLock;
use std::task::{Context, Waker};

use bytes::Bytes;

use super::super::*;
use super::kit::Pair;

pub(super) use callee::Callee;
pub(super) use caller::Caller;

/// What happens in one call.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) arguments: usize,
    /// The lengths of the caller's items, where it sends some.
    pub(super) request_items: Option<Vec<usize>>,
    pub(super) oneway: bool,
    pub(super) answer: Answer,
    /// The answer waits for the end of the caller's items.
    pub(super) answers_last: bool,
    pub(super) callee_reads: bool,
    pub(super) caller_reads: bool,
    /// The caller gives up when it was scheduled so often.
    pub(super) cancel_after: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Answer {
    Reply { result: usize, items: Option<Vec<usize>>, then_status: bool },
    Status,
    Refuse,
    Never,
}

impl Plan {
    /// Tells whether only the caller's giving up can end the call.
    fn may_hang(&self) -> bool {
        let unread = matches!(&self.answer, Answer::Reply { items: Some(_), .. })
            && !self.caller_reads
            && !self.oneway;
        matches!(self.answer, Answer::Never) || unread
    }
}

/// What happens to the connection besides.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fortune {
    Quiet,
    DrainAt(usize),
    CutAt(usize),
}

/// Which body is meant, so that each has bytes of its own.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Arguments,
    Result,
    RequestItem(usize),
    ReplyItem(usize),
}

pub(super) fn body(call: usize, part: Part, len: usize) -> Bytes {
    static NOISE: OnceLock<Bytes> = OnceLock::new();
    let noise = NOISE.get_or_init(|| {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let next = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        (0..256 * 1024).map(next).collect()
    });
    let offset = match part {
        Part::Arguments => 0,
        Part::Result => 1,
        Part::RequestItem(index) => 2 + 2 * index,
        Part::ReplyItem(index) => 3 + 2 * index,
    };
    let start = (call * 257 + offset * 31) % 8192;
    noise.slice(start..start + len)
}

pub(super) struct World {
    pub(super) pair: Pair,
    plans: Vec<Plan>,
    callers: Vec<Caller>,
    callees: Vec<Option<Callee>>,
    fortune: Fortune,
    is_cut: bool,
}

impl World {
    pub(super) fn new(configs: (Config, Config), plans: Vec<Plan>, fortune: Fortune) -> Self {
        let callers =
            plans.iter().enumerate().map(|(index, plan)| Caller::new(index, plan.clone())).collect();
        let callees = plans.iter().map(|_| None).collect();
        Self { pair: Pair::open(configs.0, configs.1), plans, callers, callees, fortune, is_cut: false }
    }

    /// Runs the schedule, then everybody in turn until all calls are over, and checks what came of them.
    pub(super) fn run(&mut self, schedule: &[u16]) {
        for (at, choice) in schedule.iter().enumerate() {
            self.meddle(at);
            self.step(usize::from(*choice));
            self.check_bounds();
        }
        self.run_out();
        self.check_progress();
        self.check_credit();
        // Each round makes room for calls that wait for a slot, and may hang in their turn.
        for _ in 0..self.plans.len() {
            self.callers.iter_mut().for_each(|caller| caller.give_up(&mut self.pair.client));
            self.wake();
            self.run_out();
        }
        self.finish();
    }

    fn meddle(&mut self, at: usize) {
        match self.fortune {
            Fortune::DrainAt(then) if at == then => self.pair.server.drain("the test drains"),
            Fortune::CutAt(then) if at == then => {
                self.is_cut = true;
                self.pair.client.lost("the test cut the link");
                self.pair.server.lost("the test cut the link");
                self.pair.to_client.clear();
                self.pair.to_server.clear();
            }
            _ => {}
        }
        self.wake();
    }

    fn step(&mut self, choice: usize) {
        const PIECES: [usize; 8] = [1, 15, 17, 100, 700, 5000, 40_000, usize::MAX];
        let calls = self.plans.len();
        let (what, piece) = (choice % (2 * calls + 8), PIECES[choice / 256 % 8]);
        let _ = match what.checked_sub(2 * calls) {
            None if what < calls => self.callers[what].step(&mut self.pair.client),
            None => self.step_callee(what - calls),
            Some(0 | 1) => self.transmit(Side::Client),
            Some(2 | 3) => self.transmit(Side::Server),
            Some(4 | 5) => self.deliver(Side::Client, piece),
            Some(_) => self.deliver(Side::Server, piece),
        };
        self.wake();
    }

    fn transmit(&mut self, side: Side) -> bool {
        !self.is_cut && self.pair.transmit(side)
    }

    fn deliver(&mut self, from: Side, bytes_max: usize) -> bool {
        let moved = !self.is_cut && self.pair.deliver(from, bytes_max);
        self.act();
        moved
    }

    /// Does what the owner of the server machine does.
    fn act(&mut self) {
        while let Some(event) = self.pair.server.poll_event() {
            match event {
                Event::Call(incoming) => {
                    let index = usize::try_from(incoming.method.as_u64()).expect("methods are numbered");
                    assert!(self.callees[index].is_none(), "call {index} came in twice");
                    self.callees[index] = Some(Callee::new(index, self.plans[index].clone(), &incoming));
                }
                Event::Cancelled(id) => {
                    self.callees
                        .iter_mut()
                        .flatten()
                        .filter(|callee| callee.id() == id)
                        .for_each(Callee::cancel);
                }
                _ => {}
            }
        }
        while self.pair.client.poll_event().is_some() {}
    }

    fn step_callee(&mut self, index: usize) -> bool {
        self.callees[index].as_mut().is_some_and(|callee| callee.step(&mut self.pair.server))
    }

    fn wake(&mut self) {
        for machine in [&mut self.pair.client, &mut self.pair.server] {
            machine.take_wakes().into_iter().for_each(Waker::wake);
        }
        if self.pair.client.take_freed_slots() > 0 {
            self.callers.iter().for_each(Caller::slot_freed);
        }
        self.act();
    }

    /// Lets everybody act in turn until nobody can.
    fn run_out(&mut self) {
        loop {
            let mut moved = false;
            for side in [Side::Client, Side::Server] {
                moved |= self.transmit(side);
                moved |= self.deliver(side, usize::MAX);
            }
            for index in 0..self.plans.len() {
                moved |= self.callers[index].step(&mut self.pair.client);
                moved |= self.step_callee(index);
                self.wake();
            }
            self.check_bounds();
            if !moved {
                return;
            }
        }
    }

    /// What is kept stays within the limits at all times.
    fn check_bounds(&self) {
        for (machine, peer) in
            [(&self.pair.client, &self.pair.server), (&self.pair.server, &self.pair.client)]
        {
            let Config { settings, buffer_bytes_max, .. } = &machine.config;
            let (_, held, reserved) = machine.inflow.booked();
            let message = u64::from(settings.message_bytes_max);
            let buffer = u64::from(*buffer_bytes_max).max(message);
            let window = u64::from(settings.connection_window_bytes);
            assert!(reserved <= buffer, "{reserved} bytes are reserved");
            assert!(held + reserved <= 2 * buffer + window + message, "{held} bytes are held");
            let calls = self.plans.len();
            assert!(machine.ready.len() <= calls && machine.waiting.len() <= calls);
            // What a peer that grants without end could make this side gather, and the first frames of all calls.
            let frame = 2 * 64 * 1024;
            assert!(
                machine.unsent_bytes() <= 256 * 1024 + calls * frame,
                "{} unsent",
                machine.unsent_bytes()
            );
            assert!(peer.config.settings.calls_max as usize >= machine.opened.live());
        }
    }

    /// Those who do not read keep only themselves waiting, unless they keep more than the buffer allows.
    fn check_progress(&self) {
        let is_full =
            |machine: &Connection| machine.inflow.booked().1 > machine.config.buffer_bytes_max.into();
        if is_full(&self.pair.client) || is_full(&self.pair.server) {
            return;
        }
        let hanging = self.plans.iter().any(Plan::may_hang);
        for (caller, plan) in self.callers.iter().zip(&self.plans) {
            let excused = plan.may_hang() || (hanging && !caller.is_open());
            assert!(caller.is_done() || excused, "a call is stuck: {caller:#?}\n{:#?}", self.pair.server);
        }
    }

    /// With nothing on its way, one side may send exactly what the other has granted.
    fn check_credit(&mut self) {
        if self.is_cut {
            return;
        }
        let (client, server) = (&mut self.pair.client, &mut self.pair.server);
        assert_eq!(client.granted_out, server.inflow.booked().0);
        assert_eq!(server.granted_out, client.inflow.booked().0);
        for id in client.opened.ids() {
            let (Some(mine), Some(theirs)) = (client.opened.get(id), server.accepted.get(id)) else {
                continue;
            };
            assert_eq!(mine.outflow.granted, theirs.inflow.granted, "{id}");
            assert_eq!(mine.inflow.granted, theirs.outflow.granted, "{id}");
        }
    }

    fn finish(&self) {
        for (caller, callee) in self.callers.iter().zip(&self.callees) {
            caller.check(callee.as_ref(), self.fortune);
            assert!(callee.as_ref().is_none_or(Callee::is_done), "{callee:#?}");
        }
        if !self.is_cut {
            self.pair.assert_at_rest();
        }
        assert_eq!(self.pair.client.calls_in_flight() + self.pair.server.calls_in_flight(), 0);
        assert!(self.pair.client.inflow.is_at_rest() && self.pair.server.inflow.is_at_rest());
    }
}

pub(super) fn context(waker: &Waker) -> Context<'_> {
    Context::from_waker(waker)
}
