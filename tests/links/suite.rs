//! What each link must do, whatever it is made of.

mod calls;
mod endings;

/// Runs the whole suite over a link.
macro_rules! over {
    ($link:ident: $($part:ident::$test:ident),+ $(,)?) => {
        mod $link {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$part::$test(crate::way::Way::new(stringify!($link))).await;
                }
            )+
        }
    };
    ($($(#[$cfg:meta])? $link:ident),+ $(,)?) => {
        $(
            $(#[$cfg])?
            over! { $link:
                calls::calls_are_answered,
                calls::many_calls_share_a_connection,
                calls::items_go_both_ways,
                calls::large_bodies_go_both_ways,
                calls::what_is_too_large_ends_its_call_only,
                calls::a_large_body_does_not_hold_up_small_calls,
                calls::oneway_calls_arrive_though_their_client_is_gone,
                calls::metadata_and_the_peers_address_are_there,
                endings::a_call_that_is_dropped_is_cancelled,
                endings::a_stream_that_is_dropped_is_cancelled,
                endings::a_deadline_ends_both_sides,
                endings::more_calls_than_a_server_takes_wait_their_turn,
                endings::a_server_that_drains_finishes_what_it_took,
                endings::a_drained_servers_successor_takes_the_next_calls,
                endings::a_server_that_is_dropped_ends_its_calls,
                endings::a_server_that_is_killed_ends_its_calls,
                endings::a_client_that_goes_away_cancels_its_calls,
                endings::a_full_server_says_so,
            }
        )+
    };
}

over! {
    tcp,
    unix,
    mem,
    #[cfg(feature = "tls")] tls,
    #[cfg(feature = "quic")] quic,
    #[cfg(feature = "websocket")] ws,
    #[cfg(all(feature = "tls", feature = "websocket"))] wss,
}
