//! What a webhook is called for: something happened to something.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        #[non_exhaustive]
        pub enum $type {
            $($(#[$of])* $variant,)*
        }

        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word in an event's name; on the wire it is in capital letters.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

words! {
    /// What something happens to.
    WebhookEntity {
        /// A registered model.
        RegisteredModel = "registered_model",
        /// A version of a registered model.
        ModelVersion = "model_version",
        /// A tag of a version.
        ModelVersionTag = "model_version_tag",
        /// An alias of a version.
        ModelVersionAlias = "model_version_alias",
        /// A prompt.
        Prompt = "prompt",
        /// A version of a prompt.
        PromptVersion = "prompt_version",
        /// A tag of a prompt.
        PromptTag = "prompt_tag",
        /// A tag of a prompt's version.
        PromptVersionTag = "prompt_version_tag",
        /// An alias of a prompt's version.
        PromptAlias = "prompt_alias",
        /// A budget of the gateway.
        BudgetPolicy = "budget_policy",
    }
}

words! {
    /// What happens to it.
    WebhookAction {
        /// It is made.
        Created = "created",
        /// It is changed; no entity of MLflow 3.17 says so.
        Updated = "updated",
        /// It is taken away.
        Deleted = "deleted",
        /// It is given a value.
        Set = "set",
        /// It is used up.
        Exceeded = "exceeded",
    }
}

impl WebhookEntity {
    /// What can happen to it.
    pub fn actions(self) -> &'static [WebhookAction] {
        match self {
            Self::RegisteredModel | Self::ModelVersion | Self::Prompt | Self::PromptVersion => {
                &[WebhookAction::Created]
            }
            Self::ModelVersionTag | Self::PromptTag | Self::PromptVersionTag => {
                &[WebhookAction::Set, WebhookAction::Deleted]
            }
            Self::ModelVersionAlias | Self::PromptAlias => &[WebhookAction::Created, WebhookAction::Deleted],
            Self::BudgetPolicy => &[WebhookAction::Exceeded],
        }
    }
}

/// Something that happens to something, checked: `model_version.created`, and never `model_version.exceeded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "WireEvent")]
pub struct WebhookEvent {
    entity: WebhookEntity,
    action: WebhookAction,
}

#[derive(Deserialize)]
struct WireEvent {
    entity: WebhookEntity,
    action: WebhookAction,
}

/// An event that no server tells of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no event of a webhook: {rule}")]
pub struct InvalidWebhookEvent {
    /// What was given, cut to 80 characters.
    pub text: String,
    /// What would be one.
    pub rule: String,
}

impl WebhookEvent {
    /// Checks that the one can happen to the other.
    ///
    /// # Errors
    /// [`InvalidWebhookEvent`] with what can.
    pub fn try_new(entity: WebhookEntity, action: WebhookAction) -> Result<Self, InvalidWebhookEvent> {
        if entity.actions().contains(&action) {
            return Ok(Self { entity, action });
        }
        let actions: Vec<&str> = entity.actions().iter().map(|action| action.as_str()).collect();
        Err(InvalidWebhookEvent {
            text: format!("{}.{}", entity.as_str(), action.as_str()),
            rule: format!("after {} comes {}", entity.as_str(), actions.join(" or ")),
        })
    }

    /// What it happens to.
    pub fn entity(self) -> WebhookEntity {
        self.entity
    }

    /// What happens.
    pub fn action(self) -> WebhookAction {
        self.action
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.entity.as_str(), self.action.as_str())
    }
}

impl FromStr for WebhookEvent {
    type Err = InvalidWebhookEvent;

    /// Reads a name such as `registered_model.created`.
    fn from_str(text: &str) -> Result<Self, InvalidWebhookEvent> {
        let wrong = || InvalidWebhookEvent {
            text: text.chars().take(80).collect(),
            rule: "one is an entity, a dot and an action, such as `model_version.created`".into(),
        };
        let (entity, action) = text.split_once('.').ok_or_else(wrong)?;
        let entity = WebhookEntity::ALL.iter().find(|known| known.as_str() == entity).ok_or_else(wrong)?;
        let action = WebhookAction::ALL.iter().find(|known| known.as_str() == action).ok_or_else(wrong)?;
        Self::try_new(*entity, *action)
    }
}

impl TryFrom<WireEvent> for WebhookEvent {
    type Error = InvalidWebhookEvent;

    fn try_from(wire: WireEvent) -> Result<Self, InvalidWebhookEvent> {
        Self::try_new(wire.entity, wire.action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_a_name_and_is_read_from_it() {
        let mut count = 0;
        for &entity in WebhookEntity::ALL {
            for &action in WebhookAction::ALL {
                let name = format!("{}.{}", entity.as_str(), action.as_str());
                let read = name.parse::<WebhookEvent>();
                assert_eq!(read, WebhookEvent::try_new(entity, action));
                assert_eq!(read.is_ok(), entity.actions().contains(&action), "{name}");
                let Ok(event) = read else { continue };
                count += 1;
                assert_eq!((event.to_string(), event.entity(), event.action()), (name, entity, action));
                let wire = serde_json::to_value(event).expect("two words");
                assert_eq!(wire["entity"], entity.as_str().to_uppercase());
                assert_eq!(wire["action"], action.as_str().to_uppercase());
                assert_eq!(serde_json::from_value::<WebhookEvent>(wire).expect("the same"), event);
            }
        }
        // As many as MLflow 3.17 lists.
        assert_eq!(count, 15);
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let error = text.parse::<WebhookEvent>().expect_err("it is none");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn what_cannot_happen_is_no_event() {
        check(
            "model_version.exceeded",
            "\"model_version.exceeded\" is no event of a webhook: after model_version comes created",
        );
        check(
            "prompt_tag.created",
            "\"prompt_tag.created\" is no event of a webhook: after prompt_tag comes set or deleted",
        );
        check(
            "run.created",
            "\"run.created\" is no event of a webhook: one is an entity, a dot and an action, such as \
             `model_version.created`",
        );
        let wire = r#"{"entity":"BUDGET_POLICY","action":"CREATED"}"#;
        assert!(serde_json::from_str::<WebhookEvent>(wire).is_err());
    }
}
