/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/capabilities.h"

#define DAC(label) "<capabilities><host><secmodel><model>apparmor</model><baselabel type='kvm'>+1:+1</baselabel></secmodel>" \
                   "<secmodel><model>dac</model><doi>0</doi>" label "</secmodel></host></capabilities>"

static void
test_qemu_user (void)
{
  const struct
  {
    const char *xml;
    gboolean known;
    guint uid;
  } cases[] = {
    { DAC ("<baselabel type='kvm'>+64055:+64055</baselabel><baselabel type='qemu'>+64055:+64055</baselabel>"), TRUE, 64055 },
    { DAC ("<baselabel type='kvm'>+0:+0</baselabel>"), TRUE, 0 },
    { DAC ("<baselabel>107:107</baselabel>"), TRUE, 107 },
    { DAC (""), FALSE, 0 },
    { DAC ("<baselabel>libvirt-qemu:kvm</baselabel>"), FALSE, 0 },
    { DAC ("<baselabel>+4294967295:+1</baselabel>"), FALSE, 0 },
    { DAC ("<baselabel/>"), FALSE, 0 },
    { "<capabilities><host/></capabilities>", FALSE, 0 },
    { "<capabilities/>", FALSE, 0 },
    { "", FALSE, 0 },
    { "<x", FALSE, 0 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint uid = 0;
      g_assert_cmpint (lm_capabilities_qemu_user (cases[i].xml, &uid), ==, cases[i].known);
      g_assert_cmpuint (uid, ==, cases[i].uid);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/capabilities/qemu-user", test_qemu_user);
  return g_test_run ();
}
