package dev.countersign.tools;

import java.util.concurrent.CompletionStage;

/**
 * The one way out to the network. It decides where a request may go: which hosts and schemes, no redirects.
 */
public interface Egress {
    /**
     * Sends a request once, and gives the answer whatever its status is.
     *
     * <p>Fails with {@link ToolFailure#refused(String)} for a request that it will not send, with
     * {@link java.net.ConnectException} or {@link java.net.UnknownHostException} if no connection was made, with
     * {@link java.util.concurrent.TimeoutException} or {@link java.net.http.HttpTimeoutException} when the request's
     * time is over, with {@link ToolFailure#unreadable(String)} if the answer is longer than the request allows, and
     * with another {@link java.io.IOException} if the connection broke. No failure names a header's value.
     */
    CompletionStage<EgressResponse> send(EgressRequest request);
}
