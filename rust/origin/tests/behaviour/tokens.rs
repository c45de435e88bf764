use super::support::{Answer, Client, once, origin};

const CLIENT: &str = "client_id=c&client_secret=s%2Fs";

async fn ask(client: &mut Client, form: &str) -> Answer {
    let length = form.len();
    let head = "POST /oauth/token HTTP/1.1\r\nHost: o\r\nContent-Type: application/x-www-form-urlencoded";
    client.send(format!("{head}\r\nContent-Length: {length}\r\n\r\n{form}").as_bytes()).await;
    client.answer(true).await.unwrap()
}

async fn show(client: &mut Client, token: &str) -> u16 {
    client
        .send(format!("GET /a HTTP/1.1\r\nHost: o\r\nAuthorization: Bearer {token}\r\n\r\n").as_bytes())
        .await;
    client.answer(true).await.unwrap().status
}

#[tokio::test]
async fn each_grant_gives_a_token_that_opens_the_api_until_it_is_revoked() {
    let origin = origin(&["--oauth", "c:s/s", "--oauth-user", "u:p", "--token-refresh"]).await;
    let mut client = Client::connect(origin.addr()).await;
    assert_eq!(once(&origin, "/a", None).await.status, 401);
    let mut refresh = String::new();
    for grant in ["client_credentials", "password&username=u&password=p", "refresh_token"] {
        let mut form = format!("{CLIENT}&grant_type={grant}");
        if grant == "refresh_token" {
            form.push_str("&refresh_token=");
            form.extend(form_urlencoded::byte_serialize(refresh.as_bytes()));
        }
        let answer = ask(&mut client, &form).await;
        assert_eq!(answer.status, 200, "{grant}");
        let token = answer.json();
        assert_eq!((&token["token_type"], &token["expires_in"]), (&"Bearer".into(), &3600.into()));
        refresh = token["refresh_token"].as_str().unwrap().to_owned();
        let access = token["access_token"].as_str().unwrap().to_owned();
        assert_eq!(show(&mut client, &access).await, 200, "{grant}");
        origin.revoke_tokens(false);
        assert_eq!(show(&mut client, &access).await, 401, "{grant}");
    }
    let report = origin.report();
    assert_eq!((report.tokens.requests, report.tokens.issued, report.tokens.refreshed), (3, 3, 1));
    assert_eq!((report.requests, report.unauthorized), (7, 4), "token requests are not the API's");
    origin.shutdown().await;
}

#[tokio::test]
async fn the_token_endpoint_refuses_in_the_words_of_oauth_and_fails_when_told_to() {
    let origin = origin(&["--oauth", "c:s/s", "--token-omit-expiry", "--token-fail", "1:503"]).await;
    let mut client = Client::connect(origin.addr()).await;
    let form = format!("{CLIENT}&grant_type=client_credentials");
    let first = ask(&mut client, &form).await;
    assert_eq!((first.status, first.body.len()), (503, 0));
    assert!(ask(&mut client, &form).await.json().get("expires_in").is_none());
    let wrong = [
        ("client_id=c&grant_type=client_credentials", 401, "invalid_client"),
        (&format!("{CLIENT}&grant_type=password&username=u&password=p"), 400, "invalid_grant"),
        (&format!("{CLIENT}&grant_type=refresh_token&refresh_token=x"), 400, "invalid_grant"),
        (&format!("{CLIENT}&grant_type=other"), 400, "unsupported_grant_type"),
    ];
    for (form, status, error) in wrong {
        let answer = ask(&mut client, form).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{form}");
    }
    origin.fail_tokens("1:400:invalid_grant=go away".parse().unwrap());
    assert_eq!(ask(&mut client, &form).await.json()["error_description"], "go away");
    assert_eq!(ask(&mut client, &form).await.status, 200);
    let report = origin.until(|report| report.tokens.requests == 8).await;
    assert_eq!((report.tokens.issued, report.tokens.refused), (2, 6));
    assert_eq!(origin.token_requests()[0].parameter("grant_type"), Some("client_credentials"));
    origin.shutdown().await;
}
