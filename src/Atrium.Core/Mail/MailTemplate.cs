using Atrium.Core.Organizations;
using Atrium.Core.Realms;

namespace Atrium.Core.Mail;

/// <summary>What Atrium sends mail about.</summary>
public enum MailKind
{
    /// <summary>No mail of its own but what stands around every other one; the other's text is its <c>{{content}}</c>.</summary>
    Layout,

    /// <summary>Somebody is asked to join an organization.</summary>
    Invitation,

    /// <summary>A code that shows whether a mailbox is the person's.</summary>
    EmailVerification,

    /// <summary>A code that lets somebody new make an account.</summary>
    SignUp,

    /// <summary>Somebody wanted to make an account under an address that has one.</summary>
    SignUpExisting,

    /// <summary>A code that lets somebody choose a new password.</summary>
    PasswordReset,

    /// <summary>The password is another one now; who did not do it should know.</summary>
    PasswordChanged,

    /// <summary>There is a second factor now; who did not set it up should know.</summary>
    FactorAdded,
}

/// <summary>The texts of one kind of mail, with placeholders.</summary>
/// <param name="Subject">One line.</param>
/// <param name="Text">What is read where no HTML shows.</param>
/// <param name="Html">HTML of the author's own; values come into it escaped.</param>
public sealed record MailTemplate(string Subject, string Text, string Html);

/// <summary>A template that takes the place of the built-in one: in the whole realm, or in one organization.</summary>
public sealed record MailTemplateOverride
{
    public required Id<Realm> RealmId { get; init; }

    /// <summary>Null for the realm's own.</summary>
    public Id<Organization>? OrganizationId { get; init; }

    public required MailKind Kind { get; init; }

    public required string Subject { get; init; }

    public required string Text { get; init; }

    public required string Html { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public MailTemplate Template => new(Subject, Text, Html);
}

/// <summary>Whose template is used.</summary>
public enum MailTemplateSource
{
    BuiltIn,
    Realm,
    Organization,
}

/// <summary>The template that a mail is written with: the organization's, else the realm's, else the built-in one.</summary>
public sealed record EffectiveTemplate(MailKind Kind, MailTemplate Template, MailTemplateSource Source, DateTimeOffset? UpdatedAt)
{
    /// <param name="overrides">Those of the realm and of the one organization that it is about.</param>
    public static EffectiveTemplate Of(MailKind kind, IEnumerable<MailTemplateOverride> overrides) =>
        overrides.Where(entry => entry.Kind == kind).MaxBy(static entry => entry.OrganizationId is not null) is { } stored
            ? new(kind, stored.Template, stored.OrganizationId is null ? MailTemplateSource.Realm : MailTemplateSource.Organization, stored.UpdatedAt)
            : new(kind, MailKindRules.Of(kind).BuiltIn, MailTemplateSource.BuiltIn, UpdatedAt: null);
}
