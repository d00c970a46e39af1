package dev.countersign.server.decision;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A request body.
 *
 * @param json what it says, a JSON object
 * @param text how it was written, in UTF-8
 */
@SuppressWarnings("ArrayRecordComponent") // handed on at once, never compared
public record Body(JsonNode json, byte[] text) {}
