//! How many messages could not be worked on. How many, and nothing of what is in them.

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use futures::future::join_all;

/// The queues of dead letters.
pub struct DeadLetters {
    client: Client,
    urls: Vec<String>,
}

impl DeadLetters {
    /// Of these queues.
    pub fn new(aws: &SdkConfig, urls: &str) -> Self {
        let urls = urls.split(',').map(str::trim).filter(|url| !url.is_empty()).map(str::to_owned).collect();
        Self { client: Client::new(aws), urls }
    }

    /// How many there are, about. None if a queue does not say: a page is not to fail for that.
    pub async fn count(&self) -> Option<u64> {
        const COUNT: QueueAttributeName = QueueAttributeName::ApproximateNumberOfMessages;
        let counts = self.urls.iter().map(async |url| {
            let answer = self.client.get_queue_attributes().queue_url(url).attribute_names(COUNT).send().await.ok()?;
            answer.attributes()?.get(&COUNT)?.parse::<u64>().ok()
        });
        join_all(counts).await.into_iter().sum()
    }
}
