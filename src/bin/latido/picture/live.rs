//! Entries from a running program, by its door; when it is started anew, from the new one.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use latido::control::wire::{Entry, Extra, Incident, Instance};
use latido::control::{Client, ClientError, directory, find};
use tokio::sync::mpsc::Sender;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// From look to look at the tree; a large one is looked at half as often.
const LOOK: Duration = Duration::from_millis(500);
const LARGE: usize = 200;
/// From look to look whether it is there again.
const SEARCH: Duration = Duration::from_millis(300);

/// What is heard of a program.
#[derive(Debug)]
pub(crate) enum Heard {
    /// It answers, by this door.
    Here(Client),
    Entry(Box<Entry>),
    /// It does not answer any more.
    Gone(String),
}

/// Whoever hears has gone.
struct Unheard;

/// Tells what a program does, until nobody hears it any more.
pub(crate) async fn follow(mut client: Client, mut instance: Instance, heard: Sender<Heard>) {
    loop {
        let Err(why) = watch(&client, &instance, &heard).await else { return };
        if heard.send(Heard::Gone(why)).await.is_err() {
            return;
        }
        (client, instance) = loop {
            sleep(SEARCH).await;
            if heard.is_closed() {
                return;
            }
            if let Some(found) = search(&instance).await {
                break found;
            }
        };
    }
}

/// The same program, or one of the same name that was started after it.
async fn search(before: &Instance) -> Option<(Client, Instance)> {
    let found = find(&directory()).await.ok()?;
    let is_same = |it: &Instance| it.program == before.program && it.since >= before.since;
    let (card, instance) = found.into_iter().rev().find(|(_, instance)| is_same(instance))?;
    Some((Client::new(&card), instance))
}

/// An error says why it does not answer any more.
async fn watch(client: &Client, instance: &Instance, heard: &Sender<Heard>) -> Result<(), String> {
    match tell(client, instance, heard).await {
        Ok(Unheard) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

async fn tell(client: &Client, instance: &Instance, heard: &Sender<Heard>) -> Result<Unheard, ClientError> {
    let mut teller = Teller { heard, incidents: HashMap::new(), extra: None };
    if heard.send(Heard::Here(client.clone())).await.is_err() {
        return Ok(Unheard);
    }
    let mut goes_on = teller.say(Entry::Instance(instance.clone())).await;
    let mut events = pin!(client.events(Some(0)).await?);
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut wants_incidents, mut skip) = (true, false);
    while goes_on {
        tokio::select! {
            event = events.next() => {
                let Some(event) = event else { break };
                let event = event?;
                wants_incidents |= event.incident.is_some();
                goes_on = teller.say(Entry::Event(event)).await;
            }
            _ = looks.tick() => {
                if std::mem::take(&mut skip) {
                    continue;
                }
                let tree = client.tree().await?;
                skip = tree.children.len() > LARGE;
                goes_on = teller.say(Entry::Tree(tree)).await && teller.extra(client).await?;
                // What comes of one, such as its first message, is known later and without an event.
                let is_open = teller.incidents.values().any(is_open);
                if wants_incidents || is_open {
                    goes_on = goes_on && teller.incidents(client).await?;
                    wants_incidents = false;
                }
            }
        }
    }
    match goes_on {
        false => Ok(Unheard),
        true => Err(ClientError::Refused("the program has ended".to_owned())),
    }
}

/// Whether more will be known of it without an event.
fn is_open(incident: &Incident) -> bool {
    incident.reason.is_some() && incident.answered.is_none()
}

struct Teller<'a> {
    heard: &'a Sender<Heard>,
    incidents: HashMap<u64, Incident>,
    extra: Option<serde_json::Value>,
}

impl Teller<'_> {
    /// Whether anybody hears it.
    async fn say(&self, entry: Entry) -> bool {
        self.heard.send(Heard::Entry(Box::new(entry))).await.is_ok()
    }

    async fn incidents(&mut self, client: &Client) -> Result<bool, ClientError> {
        let now = client.incidents().await?;
        self.incidents.retain(|id, _| now.first().is_some_and(|first| *id >= first.id));
        for incident in now {
            if self.incidents.get(&incident.id) != Some(&incident) {
                self.incidents.insert(incident.id, incident.clone());
                if !self.say(Entry::Incident(incident.into())).await {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn extra(&mut self, client: &Client) -> Result<bool, ClientError> {
        let value: serde_json::Value = match client.extra("jobs").await {
            Ok(value) => value,
            // It has none to show.
            Err(ClientError::Refused(_)) => return Ok(true),
            Err(error) => return Err(error),
        };
        if self.extra.as_ref() == Some(&value) {
            return Ok(true);
        }
        self.extra = Some(value.clone());
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let at = since.map_or(0.0, |since| since.as_secs_f64());
        Ok(self.say(Entry::Extra(Extra { name: "jobs".to_owned(), at, value })).await)
    }
}
