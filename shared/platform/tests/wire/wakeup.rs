use jiff::{SignedDuration, Timestamp};
use renkei_domain::work::{Cause, StartRobot};
use renkei_platform::Clock;
use renkei_platform::wakeup::WakeUps;
use serde_json::{Value, json};

use super::{Answer, Aws, error};

/// The robot's name for what it waits for: the same in every release, or a robot would be woken twice after a deploy.
const PATH: &str = "POST /schedules/wake-7f0d1b14c98b5c0256f3a1b7dfb5ed05dbf72b01";
/// Its name for twelve minutes after that.
const OTHER_PATH: &str = "POST /schedules/wake-0e669cebd23db45250fe5dcec5ae1fcec3e470ce";

fn start() -> StartRobot {
    let message = json!({ "v": 1, "tenant": "hanako", "connection": "main", "robot": "main/fetch-orders",
        "action": "fetch-orders", "cause": "schedule", "run": "run-1" });
    serde_json::from_value(message).unwrap()
}

fn set() -> Answer {
    (PATH, 200, json!({ "ScheduleArn": "arn" }))
}

fn wake_ups(aws: &Aws, clock: Clock) -> WakeUps {
    WakeUps::new(&aws.config(), "stack", "arn:aws:iam::1:role/r", "arn:aws:sqs:ap-northeast-1:1:q").with_clock(clock)
}

/// What the robot waits for.
fn due() -> Timestamp {
    "2099-11-25T00:00:00Z".parse().unwrap()
}

/// When it is to be woken.
fn at() -> Timestamp {
    "2099-11-25T00:00:17Z".parse().unwrap()
}

#[tokio::test]
async fn a_wake_up_sends_the_robots_message_once_and_goes() {
    let aws = Aws::answering([set()]).await;
    wake_ups(&aws, Clock::system()).set(&start(), due(), at()).await.unwrap();
    let (_, mut asked) = aws.asked().await.remove(0);
    let message = StartRobot::read(asked["Target"]["Input"].as_str().unwrap()).unwrap();
    assert_eq!(message, StartRobot { cause: Cause::WakeUp, ..start() });
    asked["Target"]["Input"].take();
    asked["ClientToken"].take();
    let wanted = json!({
        "ActionAfterCompletion": "DELETE",
        "ClientToken": null,
        "FlexibleTimeWindow": { "Mode": "OFF" },
        "GroupName": "stack",
        "ScheduleExpression": "at(2099-11-25T00:01:00)",
        "ScheduleExpressionTimezone": "UTC",
        "Target": { "Arn": "arn:aws:sqs:ap-northeast-1:1:q", "Input": null, "RoleArn": "arn:aws:iam::1:role/r" },
    });
    assert_eq!(asked, wanted);
}

#[tokio::test]
async fn one_that_is_set_already_is_as_good() {
    let aws = Aws::answering([(PATH, 409, conflict())]).await;
    wake_ups(&aws, Clock::system()).set(&start(), due(), at()).await.unwrap();
}

/// As the service says it: the kind of error stands in the body too.
fn conflict() -> Value {
    error("ConflictException")
}

/// Ten minutes past the wanted time.
fn late() -> Clock {
    Clock::off_by(at().duration_since(Timestamp::now()) + SignedDuration::from_mins(10))
}

#[tokio::test]
async fn a_time_that_is_over_becomes_the_full_minute_after_the_next() {
    let aws = Aws::answering([set()]).await;
    wake_ups(&aws, late()).set(&start(), due(), at()).await.unwrap();
    let (_, asked) = aws.asked().await.remove(0);
    assert_eq!(asked["ScheduleExpression"], "at(2099-11-25T00:12:00)");
}

/// AWS deletes it some time after it fired: what it woke and was stopped again would not be woken any more.
#[tokio::test]
async fn one_that_has_had_its_time_is_not_taken_for_one_that_is_to_come() {
    let aws = Aws::answering([(PATH, 409, conflict()), (OTHER_PATH, 200, json!({ "ScheduleArn": "arn" }))]).await;
    wake_ups(&aws, late()).set(&start(), due(), at()).await.unwrap();
    let asked = aws.asked().await;
    assert_eq!(asked[1].1["ScheduleExpression"], "at(2099-11-25T00:12:00)");
    assert_eq!(asked[1].1["Target"]["Input"], asked[0].1["Target"]["Input"]);

    // The same message, delivered once more.
    let aws = Aws::answering([(PATH, 409, conflict()), (OTHER_PATH, 409, conflict())]).await;
    wake_ups(&aws, late()).set(&start(), due(), at()).await.unwrap();
    assert_eq!(aws.asked().await.len(), 2);
}

#[tokio::test]
async fn a_refusal_is_permanent_and_says_why() {
    let aws = Aws::answering([(PATH, 403, error("AccessDeniedException"))]).await;
    let error = wake_ups(&aws, Clock::system()).set(&start(), due(), at()).await.unwrap_err();
    assert!(!error.is_passing() && error.to_string().contains("AccessDeniedException"), "{error}");
}
