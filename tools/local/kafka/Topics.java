import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.TopicExistsException;

/**
 * Creates the topics that are missing: {@code Topics <broker> <name>=<partitions>...}.
 *
 * <p>Kafka's own command line tools are not in its jars, and every request of the AdminClient waits
 * for the broker by itself, so that this can be started beside it.
 */
public final class Topics {
    private static final int WAIT_SECONDS = 60;

    private Topics() {}

    public static void main(String[] arguments) throws Exception {
        Map<String, Object> configuration =
                Map.of(
                        AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0],
                        AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, WAIT_SECONDS * 1000,
                        AdminClientConfig.RECONNECT_BACKOFF_MS_CONFIG, 50,
                        AdminClientConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 200);
        try (Admin admin = Admin.create(configuration)) {
            Set<String> existing = admin.listTopics().names().get(WAIT_SECONDS, TimeUnit.SECONDS);
            List<NewTopic> missing = new ArrayList<>();
            for (int i = 1; i < arguments.length; i++) {
                String[] topic = arguments[i].split("=");
                if (!existing.contains(topic[0])) {
                    missing.add(new NewTopic(topic[0], Integer.parseInt(topic[1]), (short) 1));
                }
            }
            try {
                admin.createTopics(missing).all().get(WAIT_SECONDS, TimeUnit.SECONDS);
            } catch (ExecutionException failure) {
                if (!(failure.getCause() instanceof TopicExistsException)) {
                    throw failure;
                }
            }
        }
    }
}
