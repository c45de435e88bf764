//! `json_body` (common): the request's body as JSON, rendered straight from the row.

use apisink_plan::{BodyNode, JsonBodySpec};
use bytes::Bytes;
use http::HeaderValue;

use super::{BuildContext, Common, Link, Part};
use crate::error::{RowError, RuntimeError};
use crate::request::{Request, require};
use crate::row::{Binder, ColumnIndex, Row};

pub(super) fn make(context: &mut BuildContext<'_, '_>) -> Result<Link, RuntimeError> {
    let spec: JsonBodySpec = context.spec()?;
    Ok(Link::Common(Box::new(JsonBody { body: Node::bind(&spec.body, context.binder)? })))
}

struct JsonBody {
    body: Node,
}

/// A [`BodyNode`] bound to columns, its keys rendered as JSON once.
enum Node {
    Row,
    Object(Vec<(Vec<u8>, Node)>),
    Column { index: ColumnIndex, required: bool },
}

impl Node {
    fn bind(node: &BodyNode, binder: &mut Binder<'_>) -> Result<Self, RuntimeError> {
        Ok(match node {
            BodyNode::Row => {
                binder.whole_rows()?;
                Node::Row
            }
            BodyNode::Column(column) => {
                Node::Column { index: binder.column(column)?, required: column.required }
            }
            BodyNode::Object(fields) => Node::Object(
                fields
                    .iter()
                    .map(|(name, node)| Ok((key(name), Node::bind(node, binder)?)))
                    .collect::<Result<_, RuntimeError>>()?,
            ),
        })
    }

    fn write(&self, row: &Row<'_>, out: &mut Vec<u8>) -> Result<(), RowError> {
        match self {
            Node::Row => row.write_row_json(out),
            Node::Column { index, required } => {
                require(row, *index, *required)?;
                row.write_json(*index, out)
            }
            Node::Object(fields) => {
                out.push(b'{');
                for (position, (key, node)) in fields.iter().enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(key);
                    node.write(row, out)?;
                }
                out.push(b'}');
                Ok(())
            }
        }
    }
}

fn key(name: &str) -> Vec<u8> {
    let mut key = serde_json::Value::from(name).to_string().into_bytes();
    key.push(b':');
    key
}

impl Common for JsonBody {
    fn render(&self, row: &Row<'_>) -> Result<Part, RowError> {
        let mut body = Vec::with_capacity(128);
        self.body.write(row, &mut body)?;
        Ok(Part::Bytes(Bytes::from(body)))
    }

    fn apply(&self, part: &Part, request: &mut Request) -> Result<(), RowError> {
        if let Part::Bytes(body) = part {
            request.set_body(body.clone(), &HeaderValue::from_static("application/json"));
        }
        Ok(())
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}
