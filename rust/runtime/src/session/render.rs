//! Rows of a batch to owned exchanges.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use apisink_plan::LogLevel;
use arrow_array::RecordBatch;
use arrow_schema::Schema;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::answers::Answer;
use super::identity::{Decision, Identities, Key};
use super::{LogLines, Rendered};
use crate::budget::{ByteBudget, Reservation};
use crate::engine::Engine;
use crate::error::{RowError, RuntimeError};
use crate::exchange::{Exchange, Notes};
use crate::gate::Passage;
use crate::middleware::{Chain, Part, Registry};
use crate::request::{Request, RequestTemplate, check_url_bytes, digest_text};
use crate::request_id::RequestIds;
use crate::row::{Binder, Binding, Row};
use crate::source_columns::SourceColumns;
use crate::traffic::Cost;

/// Renders the rows of one session. The feeder runs the same chain.
pub(super) struct Renderer {
    binding: Binding,
    template: RequestTemplate,
    chain: Arc<Chain>,
    identities: Identities,
    source: SourceColumns,
    budget: Arc<ByteBudget>,
}

/// What a renderer is made for, beside its engine.
pub(super) struct RenderContext<'a> {
    pub(super) registry: &'a Registry,
    pub(super) schema: &'a Schema,
    pub(super) source: SourceColumns,
    pub(super) ids: RequestIds,
    pub(super) partition: u32,
    pub(super) budget: Arc<ByteBudget>,
    pub(super) log_level: LogLevel,
    pub(super) lines: &'a Arc<LogLines>,
}

/// What became of the rows of a batch.
pub(super) struct RenderedBatch {
    /// Those to send.
    pub(super) rendered: Vec<Rendered>,
    /// Those that cannot be sent.
    #[expect(clippy::vec_box, reason = "each goes its own way")]
    pub(super) refused: Vec<Box<Exchange>>,
    /// How many are left out.
    pub(super) skipped: u64,
}

impl Renderer {
    pub(super) fn new(
        engine: &Engine,
        context: RenderContext<'_>,
    ) -> Result<(Self, Arc<Chain>), RuntimeError> {
        let plan = &engine.plan;
        let mut binder = Binder::new(context.schema);
        let key = Key::bind(&plan.source.identity, &mut binder)?;
        let template = RequestTemplate::new(&plan.request, &engine.secrets, &mut binder)?;
        let chain =
            Arc::new(context.registry.chain(engine, &mut binder, context.log_level, context.lines)?);
        let renderer = Self {
            binding: binder.finish(),
            template,
            chain: chain.clone(),
            identities: Identities::new(key, context.ids, context.partition, context.budget.clone()),
            source: context.source,
            budget: context.budget,
        };
        Ok((renderer, chain))
    }

    /// Takes an answer of an earlier attempt in: its row will not be sent. False when it was known before.
    pub(super) fn answered(&mut self, answer: &Answer) -> bool {
        self.identities.answered(answer)
    }

    /// Leaves rows of a tracking_id out.
    pub(super) fn skip(&mut self, tracking_id: &str) {
        self.identities.skip(tracking_id);
    }

    /// Counts the memory of the ids that are known now.
    pub(super) fn account(&mut self) {
        self.identities.account();
    }

    /// All rows of a batch but for those that were answered before.
    pub(super) fn render(&mut self, batch: &RecordBatch) -> Result<RenderedBatch, RuntimeError> {
        let Self { binding, template, chain, identities, source, budget } = self;
        let rows = binding.open(batch)?;
        let mut rendered = Vec::with_capacity(batch.num_rows());
        let mut refused = Vec::new();
        let mut skipped = 0;
        let source = source.copy(batch, budget)?;
        for index in 0..batch.num_rows() {
            let row = rows.row(index);
            let (tracking_id, request, decision) = match identities.row_id(&row) {
                Err(decision) => (None, None, decision),
                Ok(id) => {
                    let request = request(template, chain, &row);
                    let digest =
                        request.as_ref().map(|(_, _, digest)| digest.as_str()).map_err(RowError::clone);
                    let decision = identities.decide(&id, digest);
                    (Some(id.tracking_id), request.ok(), decision)
                }
            };
            match (decision, request) {
                (Decision::Answered, _) => {}
                (Decision::Skip, _) => skipped += 1,
                (Decision::Send(request_id), Some((mut request, parts, digest))) => {
                    template.identify(&mut request, request_id);
                    let bytes = request.bytes() + parts.iter().map(Part::len).sum::<usize>();
                    let memory = budget.take(bytes);
                    let mut exchange = exchange(tracking_id, request_id, request, Some(digest), memory);
                    exchange.source = source.as_ref().map(|rows| rows.row(index));
                    rendered.push(Rendered { exchange, parts });
                }
                (Decision::Send(request_id), None) => {
                    let why = format!("{request_id} was to be sent without a request");
                    return Err(RuntimeError::Batch(why));
                }
                (Decision::Refuse(request_id, error), _) => {
                    let request = template.blank();
                    let memory = budget.take(request.bytes());
                    let mut exchange = exchange(tracking_id, request_id, request, None, memory);
                    exchange.source = source.as_ref().map(|rows| rows.row(index));
                    exchange.refuse(error);
                    refused.push(exchange);
                }
            }
        }
        identities.account();
        Ok(RenderedBatch { rendered, refused, skipped })
    }
}

/// Renders the request of a row, the parts of its middleware, and the digest of both.
fn request(
    template: &RequestTemplate,
    chain: &Chain,
    row: &Row<'_>,
) -> Result<(Request, Vec<Part>, String), RowError> {
    let mut digest = Sha256::new();
    let request = template.render(row, &mut digest)?;
    let parts = chain.render(row)?;
    let mut url = request.url_bytes();
    for part in &parts {
        digest.update([0]);
        digest.update(part.as_bytes());
        if let Part::Text(query) = part {
            url += 1 + query.len();
        }
    }
    check_url_bytes(url, template.max_url_bytes())?;
    Ok((request, parts, digest_text(digest)))
}

fn exchange(
    tracking_id: Option<String>,
    request_id: Uuid,
    request: Request,
    request_digest: Option<String>,
    memory: Reservation,
) -> Box<Exchange> {
    Box::new(Exchange {
        tracking_id,
        request_id,
        request_digest,
        request,
        result: None,
        parsed: None,
        attempts: Vec::new(),
        notes: Notes::default(),
        started_at: SystemTime::now(),
        stopped: None,
        turn: None,
        passage: Passage::default(),
        source: None,
        pause: Duration::ZERO,
        cost: Cost::default(),
        memory,
    })
}
