use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn it_is_a_list_in_the_order_in_which_keys_were_set(
        acts in prop::collection::vec((0_u8..5, prop::option::of(0_u32..100)), 0..40),
    ) {
        let (mut metadata, mut model) = (Metadata::new(), Vec::<(String, String)>::new());
        for (key, value) in acts {
            let key = format!("key-{key}");
            let place = model.iter().position(|(known, _)| *known == key);
            match value.map(|value| value.to_string()) {
                Some(value) => {
                    metadata.insert(&key, value.clone());
                    match place {
                        Some(place) => model[place].1 = value,
                        None => model.push((key, value)),
                    }
                }
                None => {
                    let removed = place.map(|place| Value::Text(model.remove(place).1));
                    prop_assert_eq!(metadata.remove(&key), removed);
                }
            }
            let text = |entry: &Entry| (entry.key().to_owned(), metadata.text(entry.key()).unwrap().to_owned());
            prop_assert_eq!(metadata.iter().map(text).collect::<Vec<_>>(), model.clone());
            prop_assert_eq!((metadata.len(), metadata.is_empty()), (model.len(), model.is_empty()));
            prop_assert_eq!(metadata == Metadata::new(), model.is_empty());
        }
    }
}
