//! Waiting for a point in time, more precisely than a runtime's timers, whose unit is a millisecond.

use std::time::Instant;

/// Wakes at points in time.
#[derive(Debug)]
pub(crate) struct Pace {
    #[cfg(target_os = "linux")]
    timer: Option<tokio::io::unix::AsyncFd<Timer>>,
}

/// A timer of the kernel.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Timer(nix::sys::timerfd::TimerFd);

#[cfg(target_os = "linux")]
impl std::os::fd::AsFd for Timer {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(target_os = "linux")]
impl std::os::fd::AsRawFd for Timer {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        use std::os::fd::AsFd as _;

        self.0.as_fd().as_raw_fd()
    }
}

impl Pace {
    #[cfg(target_os = "linux")]
    pub(crate) fn new() -> Self {
        use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags};

        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags).ok();
        #[expect(deprecated, reason = "a timer has one descriptor all its life")]
        let register = tokio::io::unix::AsyncFd::new;
        Self {
            timer: timer.and_then(|timer| register(Timer(timer)).ok()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn new() -> Self {
        Self {}
    }

    /// Waits until `at`. What the system lacks is left to the runtime.
    pub(crate) async fn until(&self, at: Instant) {
        if at <= Instant::now() {
            return;
        }
        #[cfg(target_os = "linux")]
        if self.precisely(at).await.is_some() {
            return;
        }
        tokio::time::sleep_until(at.into()).await;
    }

    #[cfg(target_os = "linux")]
    async fn precisely(&self, at: Instant) -> Option<()> {
        use nix::sys::{
            time::{TimeSpec, TimeValLike as _},
            timerfd::{Expiration, TimerSetTimeFlags},
        };

        let timer = self.timer.as_ref()?;
        let left = at.saturating_duration_since(Instant::now());
        let left = i64::try_from(left.as_nanos()).ok()?.max(1);
        let once = Expiration::OneShot(TimeSpec::nanoseconds(left));
        timer
            .get_ref()
            .0
            .set(once, TimerSetTimeFlags::empty())
            .ok()?;
        loop {
            let mut ready = timer.readable().await.ok()?;
            let wait = |timer: &tokio::io::unix::AsyncFd<Timer>| {
                let mut expirations = [0_u8; 8];
                nix::unistd::read(timer.get_ref(), &mut expirations)
                    .map_err(|error| std::io::Error::from_raw_os_error(error as i32))
            };
            match ready.try_io(wait) {
                Ok(Ok(_)) => return Some(()),
                Ok(Err(_)) => return None,
                // It was not yet time.
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_never_wakes_too_early() {
        let pace = Pace::new();
        for wait_us in [0, 50, 700, 3000] {
            let at = Instant::now() + Duration::from_micros(wait_us);
            pace.until(at).await;
            assert!(Instant::now() >= at);
        }
    }
}
