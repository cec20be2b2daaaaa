//! The log, as `RUST_LOG` asks for it. Without it only warnings of other crates are shown, and of the door's: what happens in the tree is
//! shown by the view.

use env_logger::{Builder, Env, Target};

use crate::view::Screen;

pub(crate) fn init(screen: &Screen) {
    Builder::from_env(Env::default().default_filter_or("warn,latido=off,latido::control=warn"))
        .target(Target::Pipe(Box::new(screen.clone())))
        .init();
}
