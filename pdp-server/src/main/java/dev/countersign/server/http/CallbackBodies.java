package dev.countersign.server.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.Approvals;
import io.vertx.core.Future;
import java.time.InstantSource;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The bodies of callbacks as the AuthZEN Access Request and Approval Profile has them, but for the state. */
public final class CallbackBodies {
    private final Approvals approvals;
    private final TaskView view;

    /**
     * The bodies.
     *
     * @param baseUrl the URL by which clients reach the server
     */
    public CallbackBodies(Approvals approvals, String baseUrl, InstantSource clock) {
        this.approvals = approvals;
        this.view = new TaskView(baseUrl, clock);
    }

    /** What a task has come to, as it is now; {@code null} if there is no such task. */
    public Future<@Nullable ObjectNode> of(String tenant, UUID task) {
        return approvals
                .requests()
                .task(tenant, task)
                .compose(requests -> requests.isEmpty()
                        ? Future.<@Nullable ObjectNode>succeededFuture(null)
                        : approvals
                                .approvals()
                                .of(
                                        tenant,
                                        requests.stream().map(AccessRequest::id).toList())
                                .map(granted -> view.callback(requests, granted)));
    }
}
