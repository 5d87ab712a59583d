"""SCIM 2.0 (RFC 7643, RFC 7644) in front of what `sharing` lets an agency's identity system do."""
