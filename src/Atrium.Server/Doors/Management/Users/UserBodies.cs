using Atrium.Core;
using Atrium.Core.Users;
using Atrium.Server.Doors.Management.Bodies;

namespace Atrium.Server.Doors.Management.Users;

/// <summary>What can be said of a person.</summary>
internal static class UserBodies
{
    private static readonly Field<string> Email = Field.Text("email", EmailAddress.MaxLength)
        .Check(static text => EmailAddress.IsValid(text) ? null : "This is not an e-mail address.")
        .Describe("Unique in the realm without regard to case.")
        .Required();

    private static readonly Field<bool?> EmailVerified = Field.Flag("email_verified")
        .Describe("Whether the address was shown to be the person's; false unless said. A new address is not verified unless the same body says so.");

    private static readonly Field<string> Username = Field.Text("username", UserRules.MaxUsernameLength)
        .Check(static text => UserRules.IsUsername(text) ? null : "A username has no spaces and no control characters.")
        .Describe("Another name to sign in with; unique in the realm without regard to case.");

    private static readonly Field<string> GivenName = Name("given_name");

    private static readonly Field<string> FamilyName = Name("family_name");

    private static readonly Field<string> FullName = Name("name").Describe("The whole name; without it, tokens join the two parts.");

    private static readonly Field<string> Picture = Field.Text("picture", UserRules.MaxPictureLength)
        .Check(static text => UserRules.IsPicture(text) ? null : "The address of a picture has no control characters.")
        .Describe("The address of a picture.");

    private static readonly Field<string> Locale = Field.Text("locale", LanguageTag.MaxLength)
        .Check(static text => LanguageTag.IsValid(text) ? null : "This is no BCP 47 tag such as en-GB.")
        .Describe("A BCP 47 tag such as `en-GB`.");

    private static readonly Field<Body> Profile = Field.Nested("profile", new Shape(GivenName, FamilyName, FullName, Picture, Locale));

    private static readonly Field<string> PhoneNumber = Field.Text("phone_number", UserRules.MaxPhoneNumberLength)
        .Check(static text => UserRules.IsPhoneNumber(text) ? null : "A telephone number has digits and no control characters.")
        .Describe("A telephone number, best in the form of E.164, for the scope `phone`.");

    private static readonly Field<bool?> PhoneNumberVerified = Field.Flag("phone_number_verified")
        .Describe("Whether the number was shown to be the person's; false unless said. A new number is not verified unless the same body says so.");

    private static readonly Field<string> Formatted = Lines("formatted").Describe("The whole of it as it stands on an envelope, perhaps in several lines.");

    private static readonly Field<string> StreetAddress = Lines("street_address").Describe("Street and house or post box, perhaps in several lines.");

    private static readonly Field<string> Locality = Name("locality").Describe("The town.");

    private static readonly Field<string> Region = Name("region").Describe("The state, province or region.");

    private static readonly Field<string> PostalCode = Name("postal_code");

    private static readonly Field<string> Country = Name("country");

    private static readonly Field<Body> Address = Field
        .Nested("address", new Shape(Formatted, StreetAddress, Locality, Region, PostalCode, Country))
        .Describe("Where the person gets letters, for the scope `address`.");

    private static readonly Field<string> ExternalId = Field.Text("external_id", TextRules.MaxExternalIdLength)
        .Check(static text => TextRules.IsExternalId(text) ? null : "An external id is ASCII without control characters.")
        .Describe("The product's own id of this person; unique in the realm.");

    private static readonly Field<IReadOnlyDictionary<string, string>> Metadata = Field
        .Map("metadata", TextRules.MaxMetadataPairs, TextRules.MaxMetadataKeyLength, TextRules.MaxMetadataValueLength)
        .Check(static pairs => pairs.All(static pair => TextRules.IsMetadata(pair.Key, pair.Value)) ? null : "Names are ASCII, and neither names nor texts have a NUL.");

    private static readonly Field<UserStatus?> Status = Field.Choice<UserStatus>("status").Describe("Who is disabled can't sign in, and has no sessions.");

    public static Shape Change { get; } = new(Email, EmailVerified, Username, Profile, PhoneNumber, PhoneNumberVerified, Address, ExternalId, Metadata, Status);

    public static Shape Creation { get; } = new([.. Change.Fields, .. NewPassword.Fields]);

    /// <summary>The person with everything that the body says; what it leaves out is taken away.</summary>
    /// <param name="patch">The body as it was sent, where it was laid over the person; a verification that it doesn't mention was the old address's.</param>
    public static User Apply(Body body, User user, DateTimeOffset now, Patch? patch = null)
    {
        Body? profile = body.Of(Profile);
        string email = body.Of(Email)!;
        string? phoneNumber = body.Of(PhoneNumber);
        return user with
        {
            Email = email,
            EmailVerified = (body.Of(EmailVerified) ?? false) && (UserRules.IsSameMailbox(email, user.Email) || patch?.Names(EmailVerified) != false),
            Username = body.Of(Username),
            GivenName = profile?.Of(GivenName),
            FamilyName = profile?.Of(FamilyName),
            Name = profile?.Of(FullName),
            Picture = profile?.Of(Picture),
            Locale = profile?.Of(Locale),
            PhoneNumber = phoneNumber,
            PhoneNumberVerified = phoneNumber is not null
                && (body.Of(PhoneNumberVerified) ?? false)
                && (phoneNumber == user.PhoneNumber || patch?.Names(PhoneNumberVerified) != false),
            Address = body.Of(Address) is { } address ? AddressOf(address) : null,
            ExternalId = body.Of(ExternalId),
            Metadata = body.Of(Metadata) ?? new Dictionary<string, string>(),
            Status = body.Of(Status) ?? UserStatus.Active,
            UpdatedAt = now,
        };
    }

    private static PostalAddress? AddressOf(Body address) => new PostalAddress
    {
        Formatted = address.Of(Formatted),
        StreetAddress = address.Of(StreetAddress),
        Locality = address.Of(Locality),
        Region = address.Of(Region),
        PostalCode = address.Of(PostalCode),
        Country = address.Of(Country),
    }.OrNothing();

    private static Field<string> Lines(string name) => Field.Text(name, PostalAddress.MaxLinesLength)
        .Check(static text => PostalAddress.IsLines(text) ? null : "There are no control characters in it but ends of lines.");

    private static Field<string> Name(string name) => Field.Text(name, TextRules.MaxNameLength)
        .Check(static text => TextRules.IsName(text) ? null : "A name stands on one line, without control characters.");
}
