using Atrium.Core;
using Atrium.Core.Connections;
using Atrium.Core.Mail;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Core.Webhooks;

namespace Atrium.Server.Keys;

/// <summary>The places of the secrets that are sealed under the key file; a sealed secret opens in its own place only.</summary>
public static class SecretPlaces
{
    public static byte[] Of(Id<Realm> realm, string kid) => SecretBox.Place(realm.ToString(), "signing-key", kid);

    public static byte[] Of(Id<Realm> realm, Id<Factor> factor) => SecretBox.Place(realm.ToString(), "factor", factor.ToString());

    public static byte[] Of(Id<Realm> realm, Id<SignIn> signIn) => SecretBox.Place(realm.ToString(), "recovery-codes", signIn.ToString());

    public static byte[] Of(Id<Realm> realm, Id<EmailVerification> verification) =>
        SecretBox.Place(realm.ToString(), "email-verification", verification.ToString());

    public static byte[] Of(Id<Realm> realm, Id<Connection> connection) => SecretBox.Place(realm.ToString(), "connection", connection.ToString());

    public static byte[] Of(Id<Realm> realm, Id<WebhookSecret> secret) => SecretBox.Place(realm.ToString(), "webhook-secret", secret.ToString());

    public static byte[] Of(Id<Realm> realm, Id<QueuedMail> mail) => SecretBox.Place(realm.ToString(), "mail", mail.ToString());

    /// <summary>What a page of an invitation gives the browser to bring back: not stored, but out of our hands.</summary>
    public static byte[] Of(Id<Realm> realm, Id<Invitation> invitation) => SecretBox.Place(realm.ToString(), "invitation-form", invitation.ToString());
}
