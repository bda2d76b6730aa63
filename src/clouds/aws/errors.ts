import type { ErrorRow } from '../kit/classify.ts';

const HOUR = 3_600;
const DAY = 86_400;

/** Codes that mean: not so fast. */
export const THROTTLED =
  /^(RequestLimitExceeded|Throttling|ThrottlingException|EC2ThrottledException|TooManyRequestsException)$/;

/** Everything that EC2 says of a lack of room or money. Told by code: capacity travels as HTTP 400 and as 500. */
const scarcity: readonly ErrorRow[] = [
  {
    code: 'InsufficientInstanceCapacity',
    text: /sufficient (p|trn)\d/i,
    class: 'capacity',
    scope: 'offering',
    ttl: 600,
    hint: 'No {instanceType} is free in {zone} now. Large accelerators are seldom free without a reservation.',
  },
  {
    code: /^(InsufficientInstanceCapacity|UnfulfillableCapacity|InsufficientHostCapacity)$/,
    class: 'capacity',
    scope: 'offering',
    ttl: 180,
    hint: 'No {instanceType} is free in {zone} now.',
  },
  {
    code: 'InsufficientFreeAddressesInSubnet',
    class: 'capacity',
    scope: 'zone',
    ttl: 180,
    hint: 'The subnet in {zone} has no free address; add a subnet, or end machines in it.',
  },
  {
    code: 'ReservationCapacityExceeded',
    class: 'capacity',
    scope: 'offering',
    ttl: 60,
    hint: 'The capacity reservation is used up.',
  },
  {
    code: 'SpotMaxPriceTooLow',
    class: 'capacity',
    scope: 'offering',
    ttl: 300,
    hint: 'Raise the maximum spot price, or allow on-demand.',
  },
  {
    code: 'MaxSpotInstanceCountExceeded',
    class: 'quota',
    scope: 'market-region',
    ttl: 600,
    hint: 'Raise the spot vCPU quota of EC2 in {region}: L-34B43A08 (standard), L-3819A6DF (G, VT), L-7212CCBC (P2–P4).',
  },
  {
    code: /^(VcpuLimitExceeded|InstanceLimitExceeded)$/,
    class: 'quota',
    scope: 'family-region',
    ttl: 600,
    hint: 'Raise the vCPU quota of EC2 in {region}: L-1216C47A (standard), L-DB2E81BA (G, VT), L-417A185B (P).',
  },
  {
    code: /^(MaxFleetCount|VolumeLimit|MaxIOPSLimit|AddressLimit|VpcLimit|SecurityGroupLimit)Exceeded$/,
    class: 'quota',
    scope: 'region',
    ttl: 1_800,
    hint: 'Raise the quota that the message names, in {region}.',
  },
  {
    code: 'Unsupported',
    text: /not supported in your requested Availability Zone/i,
    class: 'capacity',
    scope: 'type-zone',
    ttl: DAY,
    hint: '{instanceType} is not offered in {zone}.',
  },
  {
    code: 'Unsupported',
    class: 'unsupported',
    scope: 'type-zone',
    ttl: DAY,
    hint: 'EC2 does not offer {instanceType} in {zone} with these settings.',
  },
];

/** Everything that EC2 says of who is asking. */
const identity: readonly ErrorRow[] = [
  {
    code: /^(SecretIncomplete|NoCredentials)$/,
    class: 'auth',
    scope: 'cloud',
    hint: 'Put aws_access_key_id and aws_secret_access_key into the Secret of the SkyCloud, or give this pod a role.',
  },
  {
    code: 'AuthFailure.ServiceLinkedRoleCreationNotPermitted',
    class: 'permission',
    scope: 'market-region',
    ttl: 1_800,
    hint: 'Create the role AWSServiceRoleForEC2Spot once: aws iam create-service-linked-role --aws-service-name spot.amazonaws.com',
  },
  {
    text: /not authorized for images/i,
    class: 'permission',
    scope: 'cloud',
    ttl: 1_800,
    hint: 'The account may not use this image; share it with the account, or set spec.config.image.',
  },
  {
    code: /^(UnauthorizedOperation|AccessDenied|AccessDeniedException)$/,
    text: /service control policy/i,
    class: 'permission',
    scope: 'region',
    ttl: 1_800,
    hint: 'A service control policy of the organisation forbids this in {region}.',
  },
  {
    code: /^(UnauthorizedOperation|AccessDenied|AccessDeniedException)$/,
    op: 'AssumeRole',
    class: 'permission',
    scope: 'cloud',
    ttl: 1_800,
    hint: 'The trust policy of role_arn must name this principal, and external_id must be the one that it wants.',
  },
  {
    code: /^(AccessDenied|AccessDeniedException)$/,
    op: 'ReceiveMessage',
    class: 'permission',
    scope: 'none',
    hint: 'The policy of the principal, and of the queue if it has one, must allow it to be read.',
  },
  {
    code: /^(UnauthorizedOperation|AccessDenied|AccessDeniedException)$/,
    class: 'permission',
    scope: 'cloud',
    ttl: 1_800,
    hint: 'Give the principal the actions of the documentation; aws sts decode-authorization-message explains a blob.',
  },
  {
    code: /^(AuthFailure|InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId)$/,
    class: 'auth',
    scope: 'cloud',
    hint: 'Put a valid access key into the Secret. If only one region fails, enable that region for the account.',
  },
  {
    code: /^(SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature)$/,
    class: 'auth',
    scope: 'cloud',
    hint: 'aws_secret_access_key is wrong; encode it again, without a newline.',
  },
  {
    code: /^(ExpiredToken|ExpiredTokenException|RequestExpired|InvalidIdentityToken)$/,
    class: 'auth',
    scope: 'cloud',
    hint: 'Refresh aws_session_token; check the clock of this host, and the audience and subject of a web identity.',
  },
  {
    code: /^(OptInRequired|PendingVerification)$/,
    class: 'billing',
    scope: 'region',
    ttl: HOUR,
    hint: 'The account is not ready for {region}; wait for the verification, or open a support case.',
  },
  {
    code: 'Blocked',
    class: 'billing',
    scope: 'cloud',
    ttl: HOUR,
    hint: 'The account is blocked; open a support case.',
  },
  {
    text: /not eligible for Free Tier/i,
    class: 'billing',
    scope: 'type-cloud',
    ttl: HOUR,
    hint: 'The free plan of the account does not include {instanceType}; upgrade the account.',
  },
];

/** Everything that EC2 says of the request itself. */
const requests: readonly ErrorRow[] = [
  {
    code: /^(InvalidParameterValue|InvalidParameterCombination|MissingParameter|InvalidBlockDeviceMapping|InvalidUserData\.Malformed|TagLimitExceeded)$/,
    class: 'invalid',
    scope: 'request',
    hint: 'EC2 cannot accept the request; its message names the field.',
  },
  {
    code: /^(InvalidAMIID\.(NotFound|Unavailable|Malformed)|ParameterNotFound)$/,
    class: 'invalid',
    scope: 'region',
    ttl: HOUR,
    hint: 'The image does not exist in {region}; an AMI id is good in one region only. Set spec.config.image.',
  },
  {
    code: /^(InvalidSubnetID\.NotFound|InvalidGroup\.NotFound|InvalidVpcID\.NotFound|InvalidLaunchTemplateName\.NotFoundException)$/,
    class: 'not-found',
    scope: 'none',
    hint: 'The network of the cluster has changed, and is prepared again.',
  },
  {
    code: /^(QueueDoesNotExist|AWS\.SimpleQueueService\.NonExistentQueue)$/,
    class: 'not-found',
    scope: 'none',
    hint: 'There is no such queue: make it, or correct spec.config.notices.queueUrl.',
  },
  {
    code: /^InvalidInstanceID\.(NotFound|Malformed)$/,
    class: 'not-found',
    scope: 'none',
    hint: 'EC2 does not know the machine; a new one may take a minute to be known.',
  },
  {
    code: /^(IncorrectInstanceState|IncorrectState|DependencyViolation|InvalidGroup\.InUse)$/,
    class: 'conflict',
    scope: 'none',
    hint: 'It is busy with something else.',
  },
  {
    code: 'OperationNotPermitted',
    class: 'conflict',
    scope: 'none',
    hint: 'The machine is protected from being ended or stopped; switch the protection off.',
  },
  {
    code: /^Invalid(Group|Permission)\.Duplicate$/,
    class: 'conflict',
    scope: 'none',
    hint: 'It exists already.',
  },
  {
    code: 'RulesPerSecurityGroupLimitExceeded',
    class: 'invalid',
    scope: 'region',
    ttl: HOUR,
    hint: 'A security group takes 60 rules unless the quota is raised; open fewer ranges of ports.',
  },
  {
    code: 'UnsupportedOperation',
    op: 'StopInstances',
    class: 'unsupported',
    scope: 'none',
    hint: 'A spot machine cannot be stopped.',
  },
  {
    code: 'UnsupportedOperation',
    class: 'unsupported',
    scope: 'type-region',
    ttl: DAY,
    hint: 'EC2 cannot do this with {instanceType}.',
  },
];

/** Everything that EC2 says of itself. */
const service: readonly ErrorRow[] = [
  {
    code: THROTTLED,
    class: 'rate-limit',
    scope: 'none',
    hint: 'EC2 asks to be called less often.',
  },
  {
    code: 'IdempotentParameterMismatch',
    class: 'conflict',
    scope: 'none',
    outcome: 'unknown',
    hint: 'The token of this attempt was used for another request; its machines, if any, are in the list.',
  },
  {
    code: /^(InternalError|ServerInternal|ServiceUnavailable|Unavailable|InternalFailure)$/,
    class: 'transient',
    scope: 'none',
    outcome: 'unknown',
    hint: 'EC2 had an internal error.',
  },
];

/**
 * Codes of EC2, STS, SSM and SQS. The first row that matches wins, so those of `identity` that look at the text come before those that
 * look at the code alone. With a code, EC2 has refused before it created anything, unless the row says otherwise.
 */
export const errors: readonly ErrorRow[] = [
  ...scarcity,
  ...identity.filter((row) => row.text !== undefined),
  ...identity.filter((row) => row.text === undefined),
  ...requests,
  ...service,
].map((row) => ({ outcome: 'not-started', ...row }));
