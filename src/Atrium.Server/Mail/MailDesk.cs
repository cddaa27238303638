using System.Text.Json;
using System.Text.Json.Serialization;
using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Mail;

/// <summary>Writes letters with the templates that are in force, and seals them to be queued with the change that wants them.</summary>
public sealed class MailDesk(MailTemplateStore templates, SecretBox box, TimeProvider clock)
{
    /// <param name="about">The id of the thing that it is about.</param>
    /// <param name="worthlessAt">When there is no more use in sending it.</param>
    /// <param name="values">What the placeholders of this kind stand for.</param>
    public async Task<QueuedMail> WriteAsync(
        Id<Realm> realm,
        MailKind kind,
        Organization? organization,
        string to,
        string about,
        DateTimeOffset worthlessAt,
        IReadOnlyDictionary<string, string> values,
        CancellationToken cancellationToken)
    {
        MailTemplates found = await templates.FindAsync(realm, organization?.Id, cancellationToken);
        Letter letter = Letter.Write(to, found.Of(kind).Template, found.Of(MailKind.Layout).Template, found.WithNames(values, organization?.Name));
        DateTimeOffset now = clock.GetUtcNow();
        Id<QueuedMail> id = Id<QueuedMail>.New(clock);
        return new QueuedMail
        {
            RealmId = realm,
            Id = id,
            OrganizationId = organization?.Id,
            Kind = kind,
            About = about,
            Recipient = to,
            SealedLetter = box.Seal(JsonSerializer.SerializeToUtf8Bytes(letter, LetterJson.Default.Letter), SecretPlaces.Of(realm, id)),
            CreatedAt = now,
            ExpiresAt = worthlessAt < now + QueuedMail.Patience ? worthlessAt : now + QueuedMail.Patience,
        };
    }
}

[JsonSerializable(typeof(Letter))]
internal sealed partial class LetterJson : JsonSerializerContext;
