use super::server::{patient, read_all};
use crate::https::{Hosts, Listener, ToHttps};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

async fn plain(text: &str) -> String {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.address();
    let service = ToHttps::new(Hosts::new(["localhost"]).unwrap(), 8443, patient());
    let serving = tokio::spawn(listener.serve(service, None, patient(), std::future::pending()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let answer = read_all(&mut stream).await;
    serving.abort();
    answer
}

#[tokio::test]
async fn plain_http_only_points_to_https() {
    let answer =
        plain("GET /notes?page=2 HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n\r\n")
            .await;
    assert!(answer.starts_with("HTTP/1.1 301"), "{answer}");
    assert!(
        answer.contains("location: https://localhost:8443/notes?page=2\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_password_sent_in_clear_is_not_forwarded() {
    let form = "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nConnection: close\r\n\r\npassword=x";
    let answer = plain(form).await;
    assert!(
        answer.starts_with("HTTP/1.1 403") && !answer.contains("\r\nlocation:"),
        "{answer}"
    );
}

#[tokio::test]
async fn plain_http_speaks_no_http2() {
    let answer = plain("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(!answer.contains("301"), "{answer}");
}
