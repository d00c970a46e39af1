package dev.countersign.server.decisionlog;

import dev.countersign.server.postgres.PostgresAddress;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A database whose connections die around a commit: its backend is terminated before it, so that the transaction is lost,
 * or the connection is cut after it, so that the client cannot know.
 */
@SuppressWarnings("serial")
final class FlakyDatabase extends PGSimpleDataSource {
    private final Decisions owner;
    private final Random random;
    final AtomicInteger lostBefore = new AtomicInteger();
    final AtomicInteger lostAfter = new AtomicInteger();

    FlakyDatabase(PostgresAddress application, PostgresAddress owner, long seed) {
        Decisions.configure(this, application);
        this.owner = Decisions.at(owner);
        this.random = new Random(seed);
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection real = super.getConnection();
        return (Connection) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    try {
                        if (method.getName().equals("commit")) {
                            return commit(real);
                        }
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private Object commit(Connection real) throws SQLException {
        int fate = random.nextInt(12);
        if (fate == 0) {
            int backend = real.unwrap(PGConnection.class).getBackendPID();
            owner.column("select pg_terminate_backend(" + backend + ")");
            lostBefore.incrementAndGet();
        }
        real.commit();
        if (fate == 1) {
            real.abort(Runnable::run);
            lostAfter.incrementAndGet();
            throw new SQLException("the connection was lost");
        }
        return null;
    }
}
