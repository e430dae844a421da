//! Two machines with each other: however their bytes are cut and their owners act, each call ends once and rightly, and nothing is left.

mod callee;
mod caller;
mod end;

use std::time::{Duration, Instant};

use bytes::Bytes;
use rpc_core::connection::{Event, OpenCall, Side};
use rpc_core::{Metadata, MethodId};

use super::content::config;
use crate::source::Source;
use callee::Callee;
use caller::Caller;
use end::End;

/// Fewer than a server lets be cancelled at once (rule L3).
const CALLS_MAX: usize = 100;

pub(super) fn run(source: &mut Source<'_>) {
    let mut pair = Pair::new(source);
    while !source.is_empty() {
        pair.step(source);
        pair.learn();
        pair.check();
    }
    pair.end();
}

/// Two ends, and what their owners know of the calls; a call's method is its number.
struct Pair {
    client: End,
    server: End,
    callers: Vec<Caller>,
    callees: Vec<Option<Callee>>,
    now: Instant,
    has_drained: bool,
    is_cut: bool,
}

impl Pair {
    fn new(source: &mut Source<'_>) -> Self {
        let now = Instant::now();
        Self {
            client: End::new(Side::Client, config(source), now),
            server: End::new(Side::Server, config(source), now),
            callers: Vec::new(),
            callees: Vec::new(),
            now,
            has_drained: false,
            is_cut: false,
        }
    }

    fn step(&mut self, source: &mut Source<'_>) {
        match source.byte() {
            0..40 => self.open(source),
            40..110 => {
                let (machine, chosen) = (&mut self.client.machine, pick(&mut self.callers, source));
                chosen.into_iter().for_each(|caller| caller.act(machine, source));
            }
            110..160 => {
                let (machine, chosen) = (&mut self.server.machine, pick(&mut self.callees, source));
                chosen.into_iter().flatten().for_each(|callee| callee.act(machine, source));
            }
            160..180 => self.client.write(&self.server),
            180..200 => self.server.write(&self.client),
            200..222 => self.server.read_from(&mut self.client, source, self.now),
            222..244 => self.client.read_from(&mut self.server, source, self.now),
            244..250 => self.wait(source),
            250 => self.client.machine.probe(),
            251 => self.server.machine.probe(),
            252 => self.client.machine.drain("the client drains"),
            253 => {
                self.server.machine.drain("the server drains");
                self.has_drained = true;
            }
            254 if source.byte() < 64 => self.cut(),
            _ => {
                self.exchange();
            }
        }
    }

    fn open(&mut self, source: &mut Source<'_>) {
        if self.callers.len() < CALLS_MAX {
            let caller = Caller::open(self.callers.len(), &mut self.client.machine, source);
            self.callers.extend(caller);
            self.callees.resize_with(self.callers.len(), || None);
        }
    }

    /// Lets time pass, less than a sign of life may take.
    fn wait(&mut self, source: &mut Source<'_>) {
        self.now += Duration::from_millis(source.choose(&[1, 1000, 10_000, 19_000]));
        for end in [&mut self.client, &mut self.server] {
            end.machine.on_timer(self.now).expect("the peer was heard in time");
        }
        self.exchange();
    }

    fn cut(&mut self) {
        self.is_cut = true;
        for end in [&mut self.client, &mut self.server] {
            end.cut();
        }
    }

    /// Brings all that is written to the other end, until neither has more; tells whether anything was.
    fn exchange(&mut self) -> bool {
        let mut has_moved = false;
        loop {
            self.client.write(&self.server);
            self.server.write(&self.client);
            let moved = self.server.read_all(&mut self.client, self.now)
                | self.client.read_all(&mut self.server, self.now);
            self.learn();
            if !moved {
                return has_moved;
            }
            has_moved = true;
        }
    }

    fn learn(&mut self) {
        while let Some(event) = self.server.machine.poll_event() {
            match event {
                Event::Call(call) => {
                    let index = usize::try_from(call.method.as_u64()).expect("methods are numbered");
                    assert!(self.callees[index].is_none(), "call {index} came in twice");
                    self.callees[index] = Some(Callee::new(&self.callers[index], call));
                }
                Event::Cancelled(id) => {
                    self.callees.iter_mut().flatten().for_each(|callee| callee.cancelled(id));
                }
                _ => {}
            }
        }
        while self.client.machine.poll_event().is_some() {}
        self.client.machine.take_wakes();
        self.server.machine.take_wakes();
    }

    fn check(&self) {
        let calls_max = self.client.calls_max().min(self.server.calls_max());
        for end in [&self.client, &self.server] {
            assert!(end.machine.calls_in_flight() <= calls_max, "more calls than agreed");
            end.check_unsent();
        }
        let live = |callee: &&Callee| !callee.is_done();
        let handlers = self.callees.iter().flatten().filter(live).count();
        assert!(handlers <= self.server.machine.calls_in_flight(), "a handler goes on without a call");
    }

    /// Brings all calls to their ends.
    fn end(mut self) {
        self.exchange();
        for (caller, callee) in self.callers.iter().zip(&self.callees) {
            let goes_on = callee.as_ref().is_some_and(|callee| !callee.is_done());
            assert!(
                !(goes_on && caller.has_given_up()),
                "a handler was not told that its call was cancelled"
            );
        }
        loop {
            let mut moved = self.exchange();
            for callee in self.callees.iter_mut().flatten() {
                moved |= callee.end(&mut self.server.machine);
            }
            for caller in &mut self.callers {
                moved |= caller.end(&mut self.client.machine);
            }
            self.check();
            if !moved {
                break;
            }
        }
        for (caller, callee) in self.callers.iter().zip(&self.callees) {
            caller.check(callee.as_ref(), self.is_cut, self.has_drained);
        }
        self.client.check_rest(&self.server);
        self.server.check_rest(&self.client);
        self.check_slots();
    }

    /// As many calls as agreed can be under way again.
    fn check_slots(&mut self) {
        let (metadata, calls_max) = (Metadata::new(), self.client.calls_max().min(self.server.calls_max()));
        for _ in 0..if self.client.machine.takes_calls() { calls_max } else { 0 } {
            let call = OpenCall::new(MethodId::new(0), 1, Bytes::new(), &metadata);
            self.client.machine.open(&call).expect("every slot is free");
        }
    }
}

fn pick<'a, T>(all: &'a mut [T], source: &mut Source<'_>) -> Option<&'a mut T> {
    let index = usize::from(source.byte()).checked_rem(all.len())?;
    // The later ones, of which more are under way.
    all.iter_mut().rev().nth(index)
}
