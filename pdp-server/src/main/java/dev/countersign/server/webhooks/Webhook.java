package dev.countersign.server.webhooks;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A webhook as it may be shown: without what signs, and without the part of its URL that may be a secret.
 *
 * @param shownUrl scheme, host and port, and the path unless the format is Slack's, where it is the secret; never the query
 * @param previousUntil until when the secret before the last rotation signs too
 * @param createdBy the visible prefix of a key
 * @param disabledBy the prefix of a key, or {@code receiver} where it answered 410
 */
public record Webhook(
        UUID id,
        String shownUrl,
        WebhookTerms.Format format,
        List<String> eventTypes,
        @Nullable Instant previousUntil,
        Instant createdAt,
        String createdBy,
        @Nullable Instant disabledAt,
        @Nullable String disabledBy) {}
