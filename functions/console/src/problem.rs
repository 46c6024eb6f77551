//! What goes wrong in a page, as a sentence in both languages. The page around it is put on in one place,
//! [`crate::dress`].

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use renkei_platform::queue::QueueError;
use renkei_setup::dead_letters::DeadLettersError;
use renkei_setup::retry::RetryError;
use renkei_setup::run_now::RunNowError;
use renkei_store::StoreError;

/// Why a page cannot be shown, or a change not made.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// The sentence in Japanese.
    pub ja: Cow<'static, str>,
    /// The sentence in English.
    pub en: Cow<'static, str>,
}

impl Problem {
    /// With these sentences.
    pub fn new(status: StatusCode, ja: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self { status, ja: ja.into(), en: en.into() }
    }

    /// There is nothing here; or it is another merchant's, which is the same.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "お探しのページまたはデータは見つかりません。番号と契約企業をご確認ください。",
            "There is nothing here. Check the number, and whether you are looking at the right company.",
        )
    }

    /// What was sent cannot be understood.
    pub fn bad(ja: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ja, en)
    }

    /// Too often.
    #[must_use]
    pub fn too_often() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "短い時間に回数が多すぎます。1分ほど待ってからもう一度お試しください。",
            "That was too often in a short time. Wait a minute and try again.",
        )
    }

    /// A mistake of the console itself.
    #[must_use]
    pub fn ours(reason: &str) -> Self {
        tracing::error!(reason, "a page could not be made");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "システムの問題でページを表示できません。続く場合は運用者にご連絡ください。",
            "Something is wrong on our side. If it stays so, tell your operator.",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let passing = error.is_passing();
        tracing::error!(%error, passing, "the store did not answer a page");
        if passing {
            Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "データベースが混み合っています。少し待ってからもう一度お試しください。",
                "The database is busy. Wait a moment and try again.",
            )
        } else {
            Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "データを読み込めません。運用者にご連絡ください。",
                "The data cannot be read. Tell your operator.",
            )
        }
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        tracing::error!(%error, passing = error.is_passing(), "a queue did not take a message");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "処理の受付ができませんでした。一部だけ受け付けた可能性がありますが、もう一度実行しても二重にはなりません。",
            "It could not be queued, or only in part. Doing it again does nothing twice.",
        )
    }
}

impl From<RetryError> for Problem {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::Store(error) => error.into(),
            RetryError::Queue(error) => error.into(),
            RetryError::Message(error) => Self::ours(&error.to_string()),
        }
    }
}

impl From<RunNowError> for Problem {
    fn from(error: RunNowError) -> Self {
        match error {
            RunNowError::Queue(error) => error.into(),
            RunNowError::Message(error) => Self::ours(&error.to_string()),
        }
    }
}

impl From<DeadLettersError> for Problem {
    fn from(error: DeadLettersError) -> Self {
        match error {
            DeadLettersError::Store(error) => error.into(),
            DeadLettersError::Queue(error) => error.into(),
            DeadLettersError::Aws(error) => {
                tracing::error!(%error, passing = error.is_passing(), "dead letters could not be looked at");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "メッセージを確認できませんでした。少し待ってからもう一度お試しください。もう一度実行しても二重にはなりません。",
                    "The messages could not be looked at. Wait a moment and try again; doing it again does nothing twice.",
                )
            }
        }
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        Self::ours(&error.to_string())
    }
}
