//! How many vectors share a server: fewer, once they slow it down so much that answers stay out.

use std::sync::Mutex;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::pool::locked;

/// The vectors that are on a server at the same time.
#[derive(Debug)]
pub(crate) struct Crowd {
    room: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How many there may be.
    size: usize,
    /// Places to be taken away as they become free.
    surplus: usize,
    /// How many there are.
    inside: usize,
    /// How many there ever were.
    came: usize,
    /// How often it was made smaller.
    shrunk: usize,
}

/// One vector's place.
#[derive(Debug)]
pub(crate) struct Place<'c> {
    crowd: &'c Crowd,
    permit: Option<SemaphorePermit<'c>>,
    /// How often the crowd had been made smaller when it came.
    came_at: usize,
    /// Which it is, from 1.
    number: usize,
    /// Others were there when it came.
    joined_others: bool,
}

impl Crowd {
    pub(crate) fn new(size: usize) -> Self {
        let size = size.max(1);
        let state = State {
            size,
            surplus: 0,
            inside: 0,
            came: 0,
            shrunk: 0,
        };
        Self {
            room: Semaphore::new(size),
            state: Mutex::new(state),
        }
    }

    /// Waits for a place.
    pub(crate) async fn enter(&self) -> Place<'_> {
        // It is never closed, so there is always a permit.
        let permit = self.room.acquire().await.ok();
        let mut state = locked(&self.state);
        state.inside += 1;
        state.came += 1;
        Place {
            crowd: self,
            permit,
            came_at: state.shrunk,
            number: state.came,
            joined_others: state.inside > 1,
        }
    }
}

impl Place<'_> {
    /// Whether others were there, too, be it that they have left.
    pub(crate) fn had_company(&self) -> bool {
        self.joined_others || locked(&self.crowd.state).came > self.number
    }

    /// Answers stayed out. Half as many may come from now on, unless it became fewer since this one came.
    pub(crate) fn strained(&self) {
        let mut state = locked(&self.crowd.state);
        if state.shrunk == self.came_at && state.size > 1 {
            let size = state.size / 2;
            state.surplus += state.size - size;
            state.size = size;
            state.shrunk += 1;
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = locked(&self.crowd.state);
        state.inside -= 1;
        if state.surplus > 0
            && let Some(permit) = self.permit.take()
        {
            state.surplus -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// As many places as there are now.
    fn fill(crowd: &Crowd) -> Vec<Place<'_>> {
        std::iter::from_fn(|| crowd.enter().now_or_never()).collect()
    }

    #[test]
    fn strain_halves_it_once_for_all_that_were_there() {
        let crowd = Crowd::new(8);
        let places = fill(&crowd);
        assert_eq!(places.len(), 8);
        places.iter().for_each(Place::strained);
        drop(places);
        let places = fill(&crowd);
        assert_eq!(places.len(), 4);
        places[0].strained();
        drop(places);
        assert_eq!(fill(&crowd).len(), 2);
    }

    #[test]
    fn one_always_has_a_place_and_no_company() {
        let crowd = Crowd::new(2);
        let places = fill(&crowd);
        assert!(places[0].had_company());
        places[0].strained();
        drop(places);
        let alone = fill(&crowd);
        assert_eq!(alone.len(), 1);
        assert!(!alone[0].had_company());
        alone[0].strained();
        drop(alone);
        assert_eq!(fill(&crowd).len(), 1);
    }
}
