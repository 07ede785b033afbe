//! Runs a command with a server of S3 of its own: `cargo run -p test-servers --features s3 --bin with-s3 -- cargo test …`.
//!
//! The server has its objects in a temporary directory, listens on this machine alone, and ends with the command. The command
//! finds its address in `TEST_S3_URL`, its key in `TEST_S3_KEY` (`id:secret`) and its folder in `TEST_S3_FOLDER`. It has the buckets `dewar`, which is private, and
//! others that are public each in its own way: `open-objects`, `open-policy` and `open-acl`. `quiet` does not tell who may read.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it runs the command that it is given, and is a server with a clock of its own"
)]

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CORSRule, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    DeleteObjectInput, DeleteObjectOutput, GetBucketAclInput, GetBucketAclOutput,
    GetBucketCorsInput, GetBucketCorsOutput, GetBucketPolicyStatusInput,
    GetBucketPolicyStatusOutput, GetObjectInput, GetObjectOutput, GetPublicAccessBlockInput,
    GetPublicAccessBlockOutput, Grant, Grantee, HeadObjectInput, HeadObjectOutput,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListObjectsV2Input, ListObjectsV2Output,
    MultipartUpload, PolicyStatus, PublicAccessBlockConfiguration, PutObjectInput, PutObjectOutput,
    Type, UploadPartInput, UploadPartOutput,
};
use s3s::path::S3Path;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

const ID: &str = "dewar-test";
const SECRET: &str = "the-secret-of-the-tests";
const BUCKETS: [&str; 5] = ["dewar", "open-acl", "open-objects", "open-policy", "quiet"];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().ok_or("which command?")?;
    let folder = tempfile::Builder::new().prefix("dewar-s3-").tempdir()?;
    for bucket in BUCKETS {
        std::fs::create_dir(folder.path().join(bucket))?;
    }
    let files = FileSystem::new(folder.path()).map_err(|error| format!("{error:?}"))?;
    let mut service = S3ServiceBuilder::new(Server {
        files,
        root: folder.path().to_owned(),
        unfinished: Arc::default(),
    });
    service.set_auth(SimpleAuth::from_single(ID, SECRET));
    service.set_access(Strangers);
    let service = service.build();
    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    runtime.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let http = hyper::server::conn::http1::Builder::new();
                let service = service_fn(move |request| answer(service.clone(), request));
                drop(http.serve_connection(TokioIo::new(socket), service).await);
            });
        }
    });
    let status = Command::new(program)
        .args(arguments)
        .env("TEST_S3_URL", format!("http://{address}"))
        .env("TEST_S3_KEY", format!("{ID}:{SECRET}"))
        .env("TEST_S3_FOLDER", folder.path())
        .status();
    let code = status?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Answers, with the headers of the bucket's CORS rule. The server has none of its own, and no answer to a preflight.
async fn answer(
    service: S3Service,
    request: Request<Incoming>,
) -> Result<Response<s3s::Body>, s3s::HttpError> {
    let is_ours = request.uri().path().starts_with("/dewar/");
    let mut response = if request.method() == Method::OPTIONS {
        Response::new(s3s::Body::empty())
    } else {
        service.call(request.map(s3s::Body::from)).await?
    };
    if is_ours {
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (header::ACCESS_CONTROL_ALLOW_METHODS, "PUT"),
            (
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "content-type, if-none-match, x-amz-checksum-sha256",
            ),
        ] {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
    }
    Ok(response)
}

/// The rights of a request without a signature: read objects of one bucket.
struct Strangers;

#[async_trait::async_trait]
impl S3Access for Strangers {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let is_open = matches!(context.s3_path(), S3Path::Object { bucket, .. } if &**bucket == "open-objects");
        let reads = ["GetObject", "HeadObject"].contains(&context.s3_op().name());
        if context.credentials().is_some() || (is_open && reads) {
            return Ok(());
        }
        Err(s3_error!(AccessDenied))
    }
}

/// The directory's server, with what it lacks: documents about access, uploads that never ended, and files that are created
/// and not replaced.
struct Server {
    files: FileSystem,
    root: PathBuf,
    unfinished: Arc<Mutex<Vec<MultipartUpload>>>,
}

impl Server {
    fn unfinished(&self) -> std::sync::MutexGuard<'_, Vec<MultipartUpload>> {
        self.unfinished
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self, id: &str) {
        self.unfinished()
            .retain(|upload| upload.upload_id.as_deref() != Some(id));
    }
}

#[async_trait::async_trait]
impl S3 for Server {
    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let id = request.input.upload_id.clone();
        let aborted = self.files.abort_multipart_upload(request).await;
        self.ended(&id);
        aborted
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = &request.input;
        if input.if_none_match.is_none() {
            return Err(s3_error!(InvalidRequest, "it would replace an object"));
        }
        if self.root.join(&input.bucket).join(&input.key).exists() {
            return Err(s3_error!(PreconditionFailed));
        }
        let id = request.input.upload_id.clone();
        let completed = self.files.complete_multipart_upload(request).await;
        if completed.is_ok() {
            self.ended(&id);
        }
        completed
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let created = self.files.create_multipart_upload(request).await?;
        self.unfinished().push(MultipartUpload {
            initiated: Some(SystemTime::now().into()),
            key: created.output.key.clone(),
            upload_id: created.output.upload_id.clone(),
            ..MultipartUpload::default()
        });
        Ok(created)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.files.delete_object(request).await
    }

    async fn get_bucket_acl(
        &self,
        request: S3Request<GetBucketAclInput>,
    ) -> S3Result<S3Response<GetBucketAclOutput>> {
        let all = Grantee {
            type_: Type::from_static(Type::GROUP),
            uri: Some("http://acs.amazonaws.com/groups/global/AllUsers".to_owned()),
            display_name: None,
            email_address: None,
            id: None,
        };
        let to_all = Grant {
            grantee: Some(all),
            permission: None,
        };
        match request.input.bucket.as_str() {
            "quiet" => Err(s3_error!(NotImplemented)),
            "open-acl" => Ok(S3Response::new(GetBucketAclOutput {
                grants: Some(vec![to_all]),
                owner: None,
            })),
            _ => Ok(S3Response::new(GetBucketAclOutput::default())),
        }
    }

    async fn get_bucket_cors(
        &self,
        request: S3Request<GetBucketCorsInput>,
    ) -> S3Result<S3Response<GetBucketCorsOutput>> {
        match request.input.bucket.as_str() {
            "quiet" => Err(s3_error!(NotImplemented)),
            "dewar" => {
                let every = || Some(vec!["*".to_owned()]);
                let rule = CORSRule {
                    allowed_headers: every(),
                    allowed_methods: vec!["PUT".to_owned()],
                    allowed_origins: vec!["*".to_owned()],
                    ..CORSRule::default()
                };
                Ok(S3Response::new(GetBucketCorsOutput {
                    cors_rules: Some(vec![rule]),
                }))
            }
            _ => {
                let code = S3ErrorCode::Custom("NoSuchCORSConfiguration".into());
                let mut error = S3Error::new(code);
                error.set_status_code(hyper::StatusCode::NOT_FOUND);
                Err(error)
            }
        }
    }

    async fn get_bucket_policy_status(
        &self,
        request: S3Request<GetBucketPolicyStatusInput>,
    ) -> S3Result<S3Response<GetBucketPolicyStatusOutput>> {
        match request.input.bucket.as_str() {
            "quiet" => Err(s3_error!(NotImplemented)),
            "open-policy" => Ok(S3Response::new(GetBucketPolicyStatusOutput {
                policy_status: Some(PolicyStatus {
                    is_public: Some(true),
                }),
            })),
            _ => Err(s3_error!(NoSuchBucketPolicy)),
        }
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = &request.input;
        let disposition = input.response_content_disposition.clone();
        let media_type = input.response_content_type.clone();
        let mut found = self.files.get_object(request).await?;
        found.output.content_disposition = disposition;
        if let Some(media_type) = media_type {
            found.output.content_type = Some(media_type);
        }
        Ok(found)
    }

    async fn get_public_access_block(
        &self,
        request: S3Request<GetPublicAccessBlockInput>,
    ) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
        match request.input.bucket.as_str() {
            "dewar" => Ok(S3Response::new(GetPublicAccessBlockOutput {
                public_access_block_configuration: Some(PublicAccessBlockConfiguration {
                    block_public_acls: Some(true),
                    block_public_policy: Some(true),
                    ignore_public_acls: Some(true),
                    restrict_public_buckets: Some(true),
                }),
            })),
            "quiet" => Err(s3_error!(NotImplemented)),
            _ => {
                let code = S3ErrorCode::Custom("NoSuchPublicAccessBlockConfiguration".into());
                let mut error = S3Error::new(code);
                error.set_status_code(hyper::StatusCode::NOT_FOUND);
                Err(error)
            }
        }
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.files.head_object(request).await
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let prefix = request.input.prefix.unwrap_or_default();
        let mut uploads = self.unfinished().clone();
        uploads.retain(|upload| {
            let key = upload.key.as_deref().unwrap_or_default();
            key.starts_with(&prefix)
        });
        Ok(S3Response::new(ListMultipartUploadsOutput {
            uploads: Some(uploads),
            ..ListMultipartUploadsOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.files.list_objects_v2(request).await
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let object = self
            .root
            .join(&request.input.bucket)
            .join(&request.input.key);
        let existed = object.exists();
        let put = self.files.put_object(request).await;
        // It compares the checksum with an object that is there already.
        if put.is_err() && !existed {
            drop(std::fs::remove_file(object));
        }
        put
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        self.files.upload_part(request).await
    }
}
