using System.Text;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.Webhooks;
using Atrium.Server.Keys;

namespace Atrium.Server.Webhooks;

/// <summary>Seals what messages are signed with, and opens it to sign.</summary>
public sealed class WebhookSecrets(SecretBox box, TimeProvider clock)
{
    public WebhookSecret Seal(Id<Realm> realm, Id<Webhook> webhook, Secret secret)
    {
        Id<WebhookSecret> id = Id<WebhookSecret>.New(clock);
        return new()
        {
            RealmId = realm,
            Id = id,
            WebhookId = webhook,
            SealedSecret = box.Seal(Encoding.UTF8.GetBytes(secret.Reveal()), SecretPlaces.Of(realm, id)),
            CreatedAt = clock.GetUtcNow(),
        };
    }

    /// <summary>Those that can be opened, in their order; one that can't was sealed by a key that is lost.</summary>
    public IReadOnlyList<string> Open(IEnumerable<WebhookSecret> secrets) =>
        [
            .. from secret in secrets
               let opened = box.Open(secret.SealedSecret, SecretPlaces.Of(secret.RealmId, secret.Id))
               where opened is not null
               select Encoding.UTF8.GetString(opened),
        ];
}
