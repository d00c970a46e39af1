package dev.countersign.server.webhooks;

import dev.countersign.server.webhooks.WebhookTerms.Format;
import java.net.URI;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A delivery that this server has for itself for a while, with all that is needed to send it.
 *
 * @param attempt its number from 1, which also tells this claim from a later one
 * @param secrets those that sign now
 * @param body the CloudEvent; {@code null} if the event is kept no more, or there is none
 * @param task the task whose end is told; {@code null} for an event
 * @param state what the requester of the task wants back, as JSON text
 */
record Claimed(
        String tenant,
        UUID webhook,
        long event,
        UUID eventId,
        int attempt,
        URI url,
        Format format,
        List<Secret> secrets,
        @Nullable String body,
        @Nullable UUID task,
        @Nullable String state) {}
