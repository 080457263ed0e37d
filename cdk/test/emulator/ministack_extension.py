"""Ministack with the resource types that the system has and it lacks.

Those that its services know are written there, so that their APIs show them; the others are records with an id:
PLACEHOLDERS names them, and README.md says what that means. All of it rests on the inside of one version.
"""

import json
import uuid

from ministack.services import ec2, msk, secretsmanager, waf
from ministack.services.cloudformation import provisioners

HANDLERS = provisioners._RESOURCE_HANDLERS

# Records with an id, and nothing behind them.
PLACEHOLDERS = [
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::MSK::Topic",
    "AWS::WAFv2::LoggingConfiguration",
]


def placeholder(logical_id, properties, stack):
    identity = f"{stack}-{logical_id}-{uuid.uuid4().hex[:8]}"
    return identity, {"Arn": identity, "Id": identity, "ScalableTargetId": identity, "TopicArn": identity}


def forget(identity, properties):
    """Nothing is left of it elsewhere."""


def rule(direction):
    def create(logical_id, properties, stack):
        group = ec2._security_groups[properties["GroupId"]]
        group[direction].extend(provisioners._ec2_sg_permissions([properties]))
        identity = f"sgr-{uuid.uuid4().hex[:17]}"
        return identity, {"Id": identity}

    def delete(identity, properties):
        group = ec2._security_groups.get(properties.get("GroupId"))
        for permission in provisioners._ec2_sg_permissions([properties]) if group else []:
            if permission in group[direction]:
                group[direction].remove(permission)

    return {"create": create, "delete": delete}


def flow_log(logical_id, properties, stack):
    identity = f"fl-{uuid.uuid4().hex[:17]}"
    ec2._flow_logs[identity] = {
        "FlowLogId": identity,
        "FlowLogStatus": "ACTIVE",
        "ResourceId": properties["ResourceId"],
        "TrafficType": properties.get("TrafficType", "ALL"),
        "LogDestinationType": properties.get("LogDestinationType", "cloud-watch-logs"),
        "LogGroupName": properties.get("LogGroupName", ""),
        "Tags": properties.get("Tags", []),
    }
    return identity, {"Id": identity}


def answered(answer, field):
    """What a service of ministack answered, where it is not an error."""
    status, _, body = answer
    if status >= 300:
        raise ValueError(body)
    return json.loads(body)[field]


def camel(properties):
    return json.dumps(provisioners._pascal_to_camel(properties))


def cluster(logical_id, properties, stack):
    tags = properties.pop("Tags", {})
    arn = answered(msk._create_cluster(camel({**properties, "Tags": tags})), "clusterArn")
    return arn, {"Arn": arn}


def configuration(logical_id, properties, stack):
    arn = answered(msk._create_configuration(camel(properties)), "arn")
    return arn, {"Arn": arn, "LatestRevision.Revision": 1}


def association(logical_id, properties, stack):
    waf._associate_web_acl({"WebACLArn": properties["WebACLArn"], "ResourceArn": properties["ResourceArn"]})
    return f"{properties['WebACLArn']}|{properties['ResourceArn']}", {}


def network_of(create):
    def with_its_addresses(logical_id, properties, stack):
        identity, attributes = create(logical_id, properties, stack)
        return identity, {**attributes, "CidrBlock": properties["CidrBlock"]}

    return with_its_addresses


def server_of(create):
    """RDS makes the administrator's password itself, as a secret of its own."""

    def with_its_secret(logical_id, properties, stack):
        identity, attributes = create(logical_id, properties, stack)
        if properties.get("ManageMasterUserPassword") in (True, "true"):
            secret = {
                "Name": f"rds!db-{uuid.uuid4()}",
                "SecretString": json.dumps({"username": properties["MasterUsername"], "password": uuid.uuid4().hex}),
            }
            arn, _ = HANDLERS["AWS::SecretsManager::Secret"]["create"](f"{logical_id}Master", secret, stack)
            attributes = {**attributes, "MasterUserSecret.SecretArn": arn}
        return identity, attributes

    return with_its_secret


def secret_of(create):
    """A secret that is made without a value has no version; the emulator gives it one with nothing in it."""

    def without_value(logical_id, properties, stack):
        identity, attributes = create(logical_id, properties, stack)
        if "SecretString" not in properties and "GenerateSecretString" not in properties:
            secretsmanager._secrets[properties["Name"]]["Versions"].clear()
        return identity, attributes

    return without_value


def alarm_of(create):
    """Of an alarm on an expression the first of its metrics is kept."""

    def without_expressions(logical_id, properties, stack):
        metrics = properties.pop("Metrics", None)
        if metrics:
            first = next(metric["MetricStat"] for metric in metrics if "MetricStat" in metric)
            properties = {**properties, **first["Metric"], "Period": first["Period"], "Statistic": first["Stat"]}
        return create(logical_id, properties, stack)

    return without_expressions


def extend():
    HANDLERS["AWS::SecretsManager::Secret"]["create"] = secret_of(HANDLERS["AWS::SecretsManager::Secret"]["create"])
    HANDLERS["AWS::CloudWatch::Alarm"]["create"] = alarm_of(HANDLERS["AWS::CloudWatch::Alarm"]["create"])
    HANDLERS["AWS::EC2::VPC"]["create"] = network_of(HANDLERS["AWS::EC2::VPC"]["create"])
    HANDLERS["AWS::RDS::DBInstance"]["create"] = server_of(HANDLERS["AWS::RDS::DBInstance"]["create"])
    HANDLERS["AWS::EC2::SecurityGroupIngress"] = rule("IpPermissions")
    HANDLERS["AWS::EC2::SecurityGroupEgress"] = rule("IpPermissionsEgress")
    HANDLERS["AWS::EC2::FlowLog"] = {"create": flow_log, "delete": lambda i, p: ec2._flow_logs.pop(i, None)}
    HANDLERS["AWS::MSK::Cluster"] = {"create": cluster, "delete": lambda i, p: msk._delete_cluster(i)}
    HANDLERS["AWS::MSK::Configuration"] = {
        "create": configuration,
        "delete": lambda i, p: msk._configurations.pop(i, None),
    }
    HANDLERS["AWS::WAFv2::WebACLAssociation"] = {
        "create": association,
        "delete": lambda i, p: waf._disassociate_web_acl({"ResourceArn": p["ResourceArn"]}),
    }
    for kind in PLACEHOLDERS:
        HANDLERS[kind] = {"create": placeholder, "delete": forget}


if __name__ == "__main__":
    extend()
    from ministack.app import main

    main()
