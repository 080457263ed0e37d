"""LocalStack, with a placeholder that can stand in a policy.

What it does not know it makes up: every attribute of it is one word. Where that is an ARN that a role may read, such
as the secret in which RDS keeps a password, its IAM refuses the word, and where a part of an ARN is taken, its CloudFormation
does; so the word is an ARN of several parts here.
"""

from localstack.services.cloudformation.engine.v2 import change_set_model_executor, change_set_model_preproc

PLACEHOLDER = "arn:aws:placeholder:eu-west-1:123456789012:unknown/unknown/unknown/unknown"

change_set_model_preproc.MOCKED_REFERENCE = PLACEHOLDER
change_set_model_executor.MOCKED_REFERENCE = PLACEHOLDER

if __name__ == "__main__":
    from localstack.runtime.main import main

    main()
