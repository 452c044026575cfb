"""The production lake's bucket, and the one key that may use it."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam, s3

OLD_VERSIONS_KEPT_DAYS = 30
# what the lake does with objects: read, write (in parts, and give a failed one up), and remove what was compacted
OBJECT_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")


@dataclass(frozen=True)
class Storage:
    """Where the lake is, and the key to it.

    Args:
        data_bucket: the setting `DATA_BUCKET`, `s3://bucket/prefix`.
        access_key: the setting `DUCKDB_ACCESS_KEY`; secret.
        secret_key: the setting `DUCKDB_SECRET`; secret.
    """

    data_bucket: pulumi.Output[str]
    access_key: pulumi.Output[str]
    secret_key: pulumi.Output[str]


def create_storage(prefix: str) -> Storage:
    """Make the bucket, and a user whose key reads and writes under one prefix of it and can do nothing else.

    The bucket is protected: `pulumi destroy --exclude-protected` takes everything else away and leaves the data.

    Args:
        prefix: the lake's folder in the bucket, without slashes at its ends.
    """
    bucket = s3.Bucket("lake", opts=pulumi.ResourceOptions(protect=True))
    _guard(bucket)
    user = iam.User("lake", path="/pocketsizefund/")
    iam.UserPolicy("lake", user=user.name, policy=bucket.arn.apply(lambda arn: lake_policy(arn, prefix)))
    key = iam.AccessKey("lake", user=user.name)
    return Storage(
        pulumi.Output.format("s3://{0}/{1}", bucket.bucket, prefix),
        pulumi.Output.secret(key.id),
        pulumi.Output.secret(key.secret),
    )


def _guard(bucket: s3.Bucket) -> None:
    """Encrypt, version and close the bucket; as protected as the bucket itself, so that they always exist."""
    kept = pulumi.ResourceOptions(protect=True)
    s3.BucketServerSideEncryptionConfiguration(
        "lake",
        bucket=bucket.id,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}, "bucket_key_enabled": True}],
        opts=kept,
    )
    versioning = s3.BucketVersioning(
        "lake", bucket=bucket.id, versioning_configuration={"status": "Enabled"}, opts=kept
    )
    closed = s3.BucketPublicAccessBlock(
        "lake",
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=kept,
    )
    s3.BucketPolicy(
        "lake",
        bucket=bucket.id,
        policy=bucket.arn.apply(encrypted_transport_policy),
        opts=pulumi.ResourceOptions(protect=True, depends_on=[closed]),  # S3 refuses both at once
    )
    s3.BucketLifecycleConfiguration(
        "lake",
        bucket=bucket.id,
        rules=[_expire_old_versions()],
        opts=pulumi.ResourceOptions(protect=True, depends_on=[versioning]),
    )


def _expire_old_versions() -> s3.BucketLifecycleConfigurationRuleArgs:
    return s3.BucketLifecycleConfigurationRuleArgs(
        id="old-versions",
        status="Enabled",
        filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=OLD_VERSIONS_KEPT_DAYS
        ),
        abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=1
        ),
    )


def lake_policy(bucket_arn: str, prefix: str) -> str:
    """Return the policy of the lake's key: objects under the prefix, and the listing of that prefix alone."""
    listing = {"StringLike": {"s3:prefix": [f"{prefix}/*", prefix]}}
    return _policy(
        {"Effect": "Allow", "Action": list(OBJECT_ACTIONS), "Resource": f"{bucket_arn}/{prefix}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket_arn, "Condition": listing},
    )


def encrypted_transport_policy(bucket_arn: str) -> str:
    """Return the bucket's policy: whoever asks, not without TLS."""
    return _policy(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def _policy(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
