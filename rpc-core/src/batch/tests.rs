use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;

use super::*;
use crate::{CodecKind, Error, ErrorKind};

fn items(lengths: &[usize]) -> Vec<Bytes> {
    lengths.iter().enumerate().map(|(index, length)| vec![index as u8; *length].into()).collect()
}

fn batch(lengths: &[usize]) -> ItemBatch {
    items(lengths).into_iter().collect()
}

#[test]
fn what_was_put_together_comes_apart_again() {
    for lengths in [&[1, 0, 3][..], &[0], &[0, 0], &[5000, 1]] {
        let mut batch = batch(lengths);
        let mut reader = Reader::new(batch.clone());
        let shown: Vec<_> = std::iter::from_fn(|| reader.read().map(|(_, item)| item.to_vec())).collect();
        assert_eq!(shown, items(lengths));
        assert_eq!((batch.len(), batch.bytes()), (lengths.len(), lengths.iter().sum()));
        assert_eq!(measure(&batch.bytes), Some((lengths.len(), *lengths.iter().max().unwrap())));
        assert_eq!(batch.clone().collect::<Vec<_>>(), items(lengths));
        batch.next();
        assert_eq!(batch.len(), lengths.len() - 1);
        let mut reader = Reader::new(batch);
        assert_eq!(
            reader.read().map(|(_, item)| item.to_vec()),
            items(lengths).get(1).map(|item| item.to_vec())
        );
    }
    assert_eq!(ItemBatch::default().next(), None);
    let mut lone = Reader::new(ItemBatch::one(Bytes::from_static(b"lone")));
    assert_eq!(lone.read().unwrap().1, b"lone");
    assert_eq!(lone.read(), None);
}

#[test]
fn batches_are_put_together_in_their_order() {
    let mut begun = batch(&[9, 1, 0]);
    begun.next();
    let parts =
        [ItemBatch::one(Bytes::from_static(b"lone")), begun, ItemBatch::one(Bytes::new()), batch(&[2])];
    let expected: Vec<_> = parts.iter().cloned().flatten().collect();
    let joined = ItemBatch::joined(parts.into_iter(), 0);
    assert_eq!((joined.len(), joined.bytes()), (5, 7));
    assert_eq!(joined.collect::<Vec<_>>(), expected);
}

#[test]
fn bytes_that_are_no_items_are_not_measured() {
    for wrong in [&b""[..], b"\x01\0\0", b"\x01\0\0\0", b"\0\0\0\0\xff\xff\xff\xffa", b"\x01\0\0\0ab"] {
        assert_eq!(measure(wrong), None, "{wrong:?}");
    }
}

#[test]
fn a_batch_is_split_between_items() {
    let mut all = batch(&[10, 10, 10, 200, 10, 10]);
    // Three of 14 bytes fit, the one of 200 does not.
    let front = all.split(100, 1000).unwrap();
    assert_eq!((measure(&front), all.len()), (Some((3, 10)), 3));
    assert_eq!(all.split(100, 1000), None);
    assert_eq!(all.next_bytes(), 200);
    assert_eq!(all.next().unwrap().len(), 200);
    assert_eq!(all.split(27, 1000), None, "one fits, which needs no batch");
    assert_eq!(measure(&all.split(28, 1000).unwrap()), Some((2, 10)));
    assert!(all.is_empty());

    let mut all = batch(&[10, 10, 200, 10]);
    assert_eq!(measure(&all.split(1000, 199).unwrap()), Some((2, 10)), "up to the one that is too long");
    assert_eq!(ItemBatch::one(Bytes::from_static(b"alone")).split(1000, 1000), None);
}

fn encode<T: serde::Serialize>(item: T, out: &mut Vec<u8>) -> Result<(), Error> {
    CodecKind::Postcard.append(&item, out)
}

fn poll<S: futures::Stream>(stream: std::pin::Pin<&mut S>) -> Poll<Option<S::Item>> {
    stream.poll_next(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn items_that_are_ready_together_are_encoded_together() {
    let ready = stream::iter([1_u8, 2, 3]).chain(stream::pending());
    let mut batches = pin!(Encoding::new(ready, encode));
    let Poll::Ready(Some(Ok(batch))) = poll(batches.as_mut()) else { panic!("three are ready") };
    assert_eq!(batch.collect::<Vec<_>>(), [&[1][..], &[2], &[3]]);
    assert!(poll(batches).is_pending());
}

#[test]
fn an_error_comes_after_the_items_before_it() {
    let fails = |item: u8, out: &mut Vec<u8>| match item {
        3 => Err(Error::new(ErrorKind::Encode, "three")),
        item => encode(item, out),
    };
    let mut batches = pin!(Encoding::new(stream::iter([1_u8, 2, 3, 4]), fails));
    assert!(matches!(poll(batches.as_mut()), Poll::Ready(Some(Ok(batch))) if batch.len() == 2));
    assert!(matches!(poll(batches.as_mut()), Poll::Ready(Some(Err(_)))));
    assert!(matches!(poll(batches), Poll::Ready(None)));
}

#[test]
fn a_batch_is_no_longer_than_a_frame_unless_an_item_is() {
    let stream = stream::iter((0..100).map(|index| vec![index; if index == 50 { 100_000 } else { 1000 }]));
    let mut batches = pin!(Encoding::new(stream, encode));
    let mut lengths = Vec::new();
    while let Poll::Ready(Some(Ok(batch))) = poll(batches.as_mut()) {
        assert!(batch.bytes() < 16 * 1024 || batch.clone().any(|item| item.len() > 90_000));
        lengths.push(batch.len());
    }
    assert_eq!(lengths.iter().sum::<usize>(), 100);
}

#[test]
fn a_stream_gives_items_one_by_one_and_batches_of_what_is_left() {
    let batches = [batch(&[1, 1]), ItemBatch::default(), batch(&[1, 1, 1])];
    let mut stream = ItemStream::of_batches(stream::iter(batches.map(Ok)));
    for _ in 0..3 {
        assert!(matches!(poll(pin!(&mut stream)), Poll::Ready(Some(Ok(_)))));
    }
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(stream.poll_batch(&mut cx), Poll::Ready(Some(Ok(batch))) if batch.len() == 2));
    assert!(matches!(stream.poll_batch(&mut cx), Poll::Ready(None)));
}
