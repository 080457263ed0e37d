#!/bin/sh
# check.sh: asks Compose and BuildKit themselves whether they take docker-compose.yml, in each of its profiles, and the
# Dockerfiles, for each image and architecture. Nothing is started, and no engine is needed.
set -eu

tools=$("$(dirname "$0")/build.sh")
cd "$(dirname "$0")/../.."
# What somebody has in their shell or in .env is not what is checked.
unset COMPOSE_FILE COMPOSE_PROFILES COMPOSE_PROJECT_NAME
compose() { "$tools/docker-compose" --env-file /dev/null "$@"; }

echo "$("$tools/docker-compose" version)"
compose config --quiet
for profile in $(compose config --profiles); do
    compose --profile "$profile" config --quiet
    echo "the profile $profile is taken"
done
for daprd in official own; do
    DAPRD=$daprd compose config --format json | "$tools/dockerfile" Dockerfile
    echo "the images with the $daprd sidecar are taken"
done
for image in daprd sentry migrate; do
    printf '{"services": {"%s": {"build": {"target": "%s"}}}}' "$image" "$image" | "$tools/dockerfile" cdk/Dockerfile
done
echo "the images of AWS are taken"
